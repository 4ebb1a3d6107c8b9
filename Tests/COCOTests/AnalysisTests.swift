import COCO
import Foundation
import TestSupport
import Testing

/// Beside `tidecv`, pycocotools and NumPy on the same files (`Fixtures/analysis.json` says how).
@Suite struct AnalysisGoldenTests {
  struct Reference: Decodable {
    struct Case: Decodable {
      let name: String
      let ap: Double
      let main: [String: Double]
      let special: [String: Double]
      let counts: [String: Int]
      let confusion: [[Int]]
      let f1: [[Double]?]
      let f1_overall: [Double]
    }
    let cases: [Case]
  }

  private func forEachCase(_ body: (Reference.Case, DetectionAnalysis, EvaluationCase) throws -> Void) throws {
    let text = try Data(contentsOf: URL(fileURLWithPath: TestData.fixture("analysis.json")))
    let reference = try JSONDecoder().decode(Reference.self, from: text)
    #expect(reference.cases.count == 3)
    for one in reference.cases {
      let data = try EvaluationCase(
        annotations: GoldenCase.path("\(one.name)_ann.json"), results: GoldenCase.path("\(one.name)_det.json"))
      try body(one, data.analysis(), data)
    }
  }

  @Test func errorsByKind() throws {
    try forEachCase { reference, analysis, _ in
      let errors = analysis.errors
      #expect(abs(errors.averagePrecision * 100 - reference.ap) <= 1e-9)
      #expect(errors.kinds.map(\.kind) == DetectionErrorKind.allCases)
      for kind in errors.kinds {
        let name = kind.kind.rawValue
        #expect(kind.count == reference.counts[name], "\(reference.name) \(name)")
        #expect(kind.count == kind.countsOfLabels.reduce(0, +))
        #expect(abs(kind.deltaAP * 100 - reference.main[name]!) <= 1e-9, "\(reference.name) \(name)")
        guard kind.kind != .missed else { continue }
        #expect(kind.count == errors.kindsOfDetections.count { $0 == kind.kind })
      }
      #expect(abs(errors.falsePositiveDeltaAP * 100 - reference.special["FalsePos"]!) <= 1e-9)
      #expect(abs(errors.falseNegativeDeltaAP * 100 - reference.special["FalseNeg"]!) <= 1e-9)
    }
  }

  @Test func confusionMatrix() throws {
    try forEachCase { reference, analysis, _ in
      #expect(analysis.confusion.counts == reference.confusion, "\(reference.name)")
      for (shares, row) in zip(analysis.confusion.shares, reference.confusion) {
        let sum = row.reduce(0, +)
        #expect((shares == nil) == (sum == 0))
        if let shares { #expect(abs(shares.reduce(0, +) - 1) <= 1e-12) }
      }
    }
  }

  @Test func bestThresholds() throws {
    try forEachCase { reference, analysis, _ in
      for (curve, expected) in zip(
        analysis.thresholds.classes + [analysis.thresholds.overall], reference.f1 + [reference.f1_overall])
      {
        #expect((curve.best == nil) == (expected == nil))
        guard let best = curve.best, let expected else { continue }
        #expect(abs(best.f1 - expected[0]) <= 1e-12)
        #expect(
          [best.score, Double(best.truePositives), Double(best.falsePositives), Double(best.objects)]
            == Array(expected.dropFirst()), "\(reference.name)")
        #expect(curve.points.contains(best))
        #expect(zip(curve.points, curve.points.dropFirst()).allSatisfy { $0.score > $1.score })
        #expect(curve.points.count <= analysis.parameters.curvePoints)
      }
    }
  }

  /// pycocotools' curves, averaged.
  @Test func precisionRecallCurves() throws {
    for (index, golden) in try GoldenCase.all("coco_eval").enumerated() {
      let data = try EvaluationCase(golden)
      let curves = data.analysis().curves
      // [IoU, recall, label].
      let all = try golden.floats("expected/precision_T_R_K_area_all_maxdet100").map(Double.init)
      let labels = data.categoryIDs.count
      func means(_ thresholds: Range<Int>, _ chosen: [Int]) -> [Double] {
        (0..<101).map { recall in
          let values = thresholds.flatMap { threshold in
            chosen.map { all[(threshold * 101 + recall) * labels + $0] }
          }
          return values.reduce(0, +) / Double(values.count)
        }
      }
      let present = (0..<labels).filter { all[$0] > -1 }
      #expect(curves.classes.indices.filter { curves.classes[$0] != nil } == present)
      for (curve, chosen) in [(curves.overall, present)] + present.map({ (curves.classes[$0], [$0]) }) {
        let curve = try #require(curve)
        #expect(largestDifference(curve.at50.precisions, means(0..<1, chosen)) <= 1e-6, "case \(index)")
        #expect(largestDifference(curve.at75.precisions, means(5..<6, chosen)) <= 1e-6)
        #expect(largestDifference(curve.mean.precisions, means(0..<10, chosen)) <= 1e-6)
      }
      let overall = try #require(curves.overall)
      let statistics = data.analysis().result.statistics
      #expect(abs(overall.mean.averagePrecision - statistics[0]) <= 1e-12)
      #expect(abs(overall.at50.averagePrecision - statistics[1]) <= 1e-12)
      #expect(abs(overall.at75.averagePrecision - statistics[2]) <= 1e-12)
    }
  }

  @Test func pictures() throws {
    try forEachCase { _, analysis, data in
      let (pictures, best) = (analysis.pictures, try #require(analysis.thresholds.overall.best))
      #expect(pictures.threshold == best.score)
      #expect(pictures.all.map(\.imageID) == data.imageIDs.sorted())
      #expect(pictures.all.reduce(0) { $0 + $1.truePositives } == best.truePositives)
      #expect(pictures.all.reduce(0) { $0 + $1.falsePositives } == best.falsePositives)
      #expect(pictures.all.reduce(0) { $0 + $1.missed } == best.missed)
      for found in pictures.all.flatMap(\.found) {
        #expect(found.detection == data.detections[found.index] && found.detection.score >= best.score)
        if found.outcome != .falsePositive { #expect(found.object != nil && found.error == nil) }
        if found.outcome == .falsePositive { #expect(found.object == nil) }
      }
      let worst = pictures.worst(1000)
      #expect(Set(worst.map(\.imageID)) == Set(pictures.all.filter { $0.errors > 0 }.map(\.imageID)))
      #expect(zip(worst, worst.dropFirst()).allSatisfy { ($0.f1, $1.errors) <= ($1.f1, $0.errors) })
      let good = pictures.best(1000)
      #expect(zip(good, good.dropFirst()).allSatisfy { ($1.f1, $1.truePositives) <= ($0.f1, $0.truePositives) })
      #expect(pictures.worst(2) == Array(worst.prefix(2)))
    }
  }
}

/// Small pictures whose answer is plain.
@Suite struct AnalysisTests {
  private let box = EvaluationBox(x: 10, y: 10, width: 20, height: 20)

  private func object(
    _ id: Int64, image: Int64 = 1, label: Int = 0, x: Double = 10, isCrowd: Bool = false
  ) -> EvaluationGroundTruth {
    EvaluationGroundTruth(
      annotationID: id, imageID: image, label: label, box: EvaluationBox(x: x, y: 10, width: 20, height: 20),
      area: 400, isCrowd: isCrowd)
  }

  private func detection(
    _ score: Double, image: Int64 = 1, label: Int = 0, x: Double = 10
  ) -> EvaluationDetection {
    EvaluationDetection(
      imageID: image, label: label, box: EvaluationBox(x: x, y: 10, width: 20, height: 20), score: score)
  }

  private func analysis(
    _ objects: [EvaluationGroundTruth], _ detections: [EvaluationDetection], images: [Int64] = [1, 2], labels: Int = 2,
    _ parameters: AnalysisParameters = AnalysisParameters()
  ) -> DetectionAnalysis {
    DetectionAnalysis(
      imageIDs: images, labelCount: labels, groundTruths: objects, detections: detections, parameters: parameters)
  }

  @Test func eachKind() {
    let found = analysis(
      [object(1), object(2, x: 100), object(3, label: 1, x: 200), object(4, x: 300)],
      [
        detection(0.9), detection(0.8, x: 11), detection(0.7, x: 112), detection(0.6, x: 201),
        detection(0.5, x: 212), detection(0.4, x: 400),
      ])
    #expect(
      found.errors.kindsOfDetections == [nil, .duplicate, .localization, .classification, .both, .background])
    #expect(found.errors.kinds.map(\.count) == [1, 1, 1, 1, 1, 1])
  }

  /// Of equal overlaps an object of the detection's own class is taken.
  @Test func confusionPrefersTheOwnClass() {
    let same = analysis([object(1, label: 1), object(2)], [detection(0.9)])
    #expect(same.confusion.counts == [[1, 0, 0], [0, 0, 1], [0, 0, 0]])
    // The better overlap counts more than the class.
    let other = analysis([object(1, label: 1), object(2, x: 12)], [detection(0.9)])
    #expect(other.confusion.counts == [[0, 0, 1], [1, 0, 0], [0, 0, 0]])
  }

  @Test func crowdsCountNowhere() {
    let found = analysis([object(1, isCrowd: true)], [detection(0.9), detection(0.8, label: 1)])
    #expect(found.confusion.counts == [[0, 0, 0], [0, 0, 0], [0, 1, 0]])
    #expect(found.pictures.all[0].found.map(\.outcome) == [.ignored, .falsePositive])
    #expect(found.pictures.all[0].missed == 0)
    #expect(found.thresholds.overall.best == nil && found.thresholds.classes[0].detections == 0)
  }

  @Test func nothingAtAll() {
    let nothing = analysis([], [], images: [])
    #expect(nothing.curves.overall == nil && nothing.errors.averagePrecision == 0)
    #expect(nothing.pictures.all.isEmpty && nothing.thresholds.overall.points.isEmpty)
    let empty = analysis([], [])
    #expect(empty.pictures.all.map(\.f1) == [1, 1])
    #expect(empty.pictures.best(5).isEmpty && empty.pictures.worst(5).isEmpty)
    let missed = analysis([object(1)], [])
    #expect(missed.errors.kinds.map(\.count) == [0, 0, 0, 0, 0, 1])
    #expect(missed.confusion.counts[0] == [0, 0, 1])
    #expect(missed.pictures.threshold == 0.3 && missed.pictures.worst(5).map(\.imageID) == [1])
  }

  /// Equal pictures stand in the order of their ids, whatever the file's order.
  @Test func orderOfPictures() {
    let images: [Int64] = [9, 3, 5, 1]
    let found = analysis(
      images.map { object($0, image: $0) }, [detection(0.9, image: 3), detection(0.9, image: 9)], images: images)
    #expect(found.pictures.worst(9).map(\.imageID) == [1, 5])
    #expect(found.pictures.best(9).map(\.imageID) == [3, 9])
    #expect(found.pictures.all.map(\.imageID) == [1, 3, 5, 9])
  }

  /// Many scores become few points, with the first, the last and the best; equal scores are one threshold.
  @Test func pointsOfTheCurve() {
    let images = (1...1000).map { Int64($0) }
    let detections = images.map { detection(1 - Double(($0 - 1) / 2) / 1000, image: $0) }
    var parameters = AnalysisParameters()
    parameters.curvePoints = 20
    let curve = analysis(
      images.prefix(333).map { object($0, image: $0) }, detections, images: images, parameters
    ).thresholds.overall
    #expect(curve.points.count <= 20 && curve.points.count >= 18)
    #expect(curve.points.first?.score == 1 && curve.points.last?.score == detections.last?.score)
    #expect(curve.best.map(curve.points.contains) == true)
    #expect(curve.best?.truePositives == 333 && curve.best?.falsePositives == 1)
    #expect(curve.points.allSatisfy { ($0.truePositives + $0.falsePositives).isMultiple(of: 2) })
  }

  /// What a detection finds is the object that COCO's matching gives it: the one with the largest overlap.
  @Test func partners() {
    let found = analysis(
      [object(1, x: 14), object(2, x: 11), object(3, label: 1)], [detection(0.5, x: 10), detection(0.9, x: 12)])
    let picture = found.pictures.all[0]
    #expect(picture.found.map(\.index) == [1, 0])
    #expect(picture.found.map(\.object) == [1, 0])
    #expect(picture.objects.map(\.isFound) == [true, true, false])
    #expect(picture.f1 == 4.0 / 5)
  }

  /// The labels of the pictures' worst error: what is drawn has TIDE's word.
  @Test func errorsOfPictures() {
    let found = analysis([object(1), object(2, x: 60)], [detection(0.9), detection(0.9, label: 1, x: 60)])
    #expect(found.pictures.all[0].found.map(\.error) == [nil, .classification])
  }
}

extension EvaluationCase {
  fileprivate func analysis() -> DetectionAnalysis {
    DetectionAnalysis(
      imageIDs: imageIDs, labelCount: categoryIDs.count, groundTruths: groundTruths, detections: detections)
  }
}
