import COCO
import Testing

/// Small cases, with the numbers that pycocotools 2.0.11 gives for them.
@Suite struct EvaluationTests {
  private func groundTruth(
    _ id: Int64, _ box: [Double], image: Int64 = 1, area: Double? = nil, isCrowd: Bool = false
  ) -> EvaluationGroundTruth {
    let box = EvaluationBox(x: box[0], y: box[1], width: box[2], height: box[3])
    return EvaluationGroundTruth(
      annotationID: id, imageID: image, label: 0, box: box, area: area ?? box.area, isCrowd: isCrowd)
  }

  private func detection(_ box: [Double], _ score: Double, image: Int64 = 1) -> EvaluationDetection {
    EvaluationDetection(
      imageID: image, label: 0, box: EvaluationBox(x: box[0], y: box[1], width: box[2], height: box[3]), score: score)
  }

  private func evaluate(
    _ groundTruths: [EvaluationGroundTruth], _ detections: [EvaluationDetection], images: [Int64] = [1]
  ) -> EvaluationResult {
    CocoEvaluator(imageIDs: images, labelCount: 1, groundTruths: groundTruths).evaluate(detections)
  }

  @Test func perfect() {
    let result = evaluate([groundTruth(1, [10, 10, 50, 40])], [detection([10, 10, 50, 40], 0.3)])
    #expect(largestDifference(result.statistics, [1, 1, 1, -1, 1, -1, 1, 1, 1, -1, 1, -1]) < 1e-12)
  }

  @Test func nothingDetected() {
    let result = evaluate([groundTruth(1, [10, 10, 50, 40])], [])
    #expect(result.statistics == [0, 0, 0, -1, 0, -1, 0, 0, 0, -1, 0, -1])
  }

  @Test func nothingToFind() {
    #expect(evaluate([], [detection([1, 1, 9, 9], 0.5)]).statistics == Array(repeating: -1, count: 12))
    #expect(evaluate([], [], images: []).statistics == Array(repeating: -1, count: 12))
    #expect(evaluate([], []).averagePrecisionOfLabels[0].isNaN)
  }

  /// IoU 0.6 is a match at 0.50, 0.55 and 0.60; the box outside of all objects scores higher and halves the precision.
  @Test func thresholds() {
    let result = evaluate(
      [groundTruth(1, [0, 0, 100, 10])], [detection([0, 0, 60, 10], 0.5), detection([500, 500, 9, 9], 0.9)])
    #expect(largestDifference(Array(result.statistics[0..<3]), [0.15, 0.5, 0]) < 1e-12)
    #expect(largestDifference([result.statistics[8]], [0.3]) < 1e-12)
  }

  /// A crowd takes any number of detections that lie within it, and they count neither way.
  @Test func crowd() {
    let result = evaluate(
      [groundTruth(1, [0, 0, 20, 20]), groundTruth(2, [100, 100, 200, 200], isCrowd: true)],
      [
        detection([110, 110, 30, 30], 0.9), detection([150, 150, 30, 30], 0.8), detection([90, 90, 20, 20], 0.7),
        detection([0, 0, 20, 20], 0.1),
      ])
    #expect(largestDifference(Array(result.statistics[0..<4]), [0.5, 0.5, 0.5, 0.5]) < 1e-12)
  }

  /// The annotation's own area decides the range: this box of 10 000 square pixels is a small object.
  @Test func areaOfTheAnnotation() {
    let result = evaluate([groundTruth(1, [0, 0, 100, 100], area: 900)], [detection([0, 0, 100, 100], 0.9)])
    #expect(largestDifference(Array(result.statistics[3..<6]), [1, -1, -1]) < 1e-12)
  }

  /// A bound belongs to both ranges.
  @Test func boundsOfRanges() {
    let result = evaluate([groundTruth(1, [0, 0, 32, 32])], [detection([0, 0, 32, 32], 0.9)])
    #expect(largestDifference(Array(result.statistics[3..<6]), [1, 1, -1]) < 1e-12)
  }

  /// pycocotools takes a match with annotation 0 for none.
  @Test func annotationZero() {
    #expect(evaluate([groundTruth(0, [0, 0, 50, 50])], [detection([0, 0, 50, 50], 0.9)]).statistics[0] == 0)
  }

  /// Only the 100 best of a class in a picture count, and the one best for the first recall.
  @Test func limits() {
    let wrong = (0..<100).map { detection([300 + Double($0), 300, 9, 9], 0.9) }
    let right = detection([0, 0, 50, 50], 0.5)
    let groundTruths = [groundTruth(1, [0, 0, 50, 50])]
    #expect(evaluate(groundTruths, wrong + [right]).statistics[8] == 0)
    #expect(evaluate(groundTruths, wrong.dropLast() + [right]).statistics[6...8] == [0, 0, 1])
  }

  /// Equal scores: the picture with the lower id comes first, and within it the one written first.
  @Test func equalScores() {
    let groundTruths = [groundTruth(1, [0, 0, 50, 50], image: 7)]
    let right = detection([0, 0, 50, 50], 0.5, image: 7)
    let inAnother = detection([0, 0, 50, 50], 0.5, image: 3)
    let after = evaluate(groundTruths, [right, inAnother], images: [7, 3])
    #expect(largestDifference([after.statistics[0]], [0.5]) < 1e-12)
    let within = evaluate(groundTruths, [right, detection([200, 200, 9, 9], 0.5, image: 7)], images: [7, 3])
    #expect(largestDifference([within.statistics[0]], [1]) < 1e-12)
  }

  /// Of two ground truths with the same overlap the later one is taken; of two detections the better one.
  @Test func equalOverlaps() {
    let groundTruths = [groundTruth(1, [0, 0, 50, 50]), groundTruth(2, [0, 0, 50, 50])]
    let result = evaluate(groundTruths, [detection([0, 0, 50, 50], 0.5), detection([0, 0, 50, 40], 0.4)])
    #expect(largestDifference([result.statistics[1], result.statistics[8]], [1, 0.85]) < 1e-12)
  }

  @Test func boxesOfTheNetwork() {
    let box = EvaluationBox(.init(0.1, 0.2, 10.3, 20.4))
    #expect(box.x == Double(Float(0.1)))
    #expect(box.width == Double(Float(10.3)) - Double(Float(0.1)))
  }
}
