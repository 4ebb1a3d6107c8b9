import COCO
import Foundation
import TestSupport
import Testing

/// Other limits, thresholds and size ranges than COCO's, with the numbers that pycocotools 2.0.11 gives for them.
@Suite struct EvaluationParametersTests {
  private func parameters(
    _ limits: [Int], overlaps: [Double]? = nil, ranges: [AreaRange]? = nil
  ) -> EvaluationParameters {
    var parameters = EvaluationParameters()
    (parameters.maxDets, parameters.proposalNums) = (limits, limits)
    parameters.overlaps = overlaps ?? parameters.overlaps
    parameters.areaRanges = ranges ?? parameters.areaRanges
    return parameters
  }

  private let own = [AreaRange("tiny", 0...400), AreaRange("small", 400...2500), AreaRange("rest", 2500...1e10)]

  /// The third has a picture with 132 detections of a class.
  private static let expected: [(statistics: [Double], dense: [Double])] = [
    (
      [
        0.252668687, 0.292162552, 0.247969564, 0.199922649, 0.280171499, 0.448771216, 0.314126462, 0.377065058,
        0.377065058, 0.228174603, 0.486607143, 0.505208333,
      ],
      [
        0.223074539, 0.292162552, 0.247969564, 0.143316832, 0.567326733, 0.462706271, 0.230921053, 0.322850877,
        0.322850877, 0.221011905, 0.645, 0.505555556,
      ]
    ),
    (
      [
        0.331192117, 0.386184188, 0.348544622, 0.425556931, 0.344046548, 0.358653053, 0.370065789, 0.464285714,
        0.464285714, 0.476041667, 0.509415064, 0.4,
      ],
      [
        0.303451272, 0.386184188, 0.348544622, 0.349798676, 0.392421617, 0.225, 0.274232456, 0.422086466, 0.422086466,
        0.433928571, 0.489166667, 0.35,
      ]
    ),
    (
      [
        0.248681152, 0.302019488, 0.235530612, 0.296078045, 0.346444644, 0.245255776, 0.287393162, 0.384081197,
        0.400641026, 0.46875, 0.4375, 0.3125,
      ],
      [
        0.200590495, 0.283313818, 0.227923609, 0.216647303, 0.322813531, -1, 0.175213675, 0.347008547, 0.347008547,
        0.347552448, 0.375, -1,
      ]
    ),
  ]

  /// Without 100 among the limits the first number counts as many as the others; pycocotools' `summarize` has -1 there, and
  /// its array of precisions this.
  @Test(arguments: 0..<3) func limitsThresholdsAndRanges(_ index: Int) throws {
    let data = try EvaluationCase(GoldenCase.all("coco_eval")[index])
    let result = data.result(parameters([2, 5, 8], overlaps: [0.3, 0.5, 0.75, 0.9], ranges: own))
    #expect(largestDifference(result.statistics, Self.expected[index].statistics) < 1e-9)
    let dense = data.result(parameters([1, 10, 500]))
    #expect(largestDifference(dense.statistics, Self.expected[index].dense) < 1e-9)
  }

  /// Ten ranges, with that of all sizes, and eight thresholds fill more than one word of bits.
  @Test func manyRanges() throws {
    let data = try EvaluationCase(GoldenCase.all("coco_eval")[2])
    let ranges = (0..<9).map { AreaRange("r\($0)", Double($0) * 300...Double($0 + 1) * 300) }
    let few = data.result(parameters([100, 300, 1000], overlaps: [0.25, 0.6], ranges: ranges))
    let expected = [
      0.305557045, -1, -1, 0.25670644, 0.504950495, 0.331683168, 0.063118812, -1, 1, -1, 1, -1, 0.5, 0.5, 0.5,
      0.533333333, 0.5, 0.333333333, 0.5, -1, 1, -1, 1, -1,
    ]
    #expect(largestDifference(few.statistics, expected) < 1e-9)
    let overlaps = [0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6]
    let many = data.result(parameters([100, 300, 1000], overlaps: overlaps, ranges: ranges))
    let alone = overlaps.map { overlap in
      data.result(parameters([100, 300, 1000], overlaps: [overlap], ranges: ranges)).statistics
    }
    for (place, value) in many.statistics.enumerated() where place < 1 || place > 2 {
      let mean = alone.map { $0[place] }.reduce(0, +) / Double(alone.count)
      #expect(abs(value - mean) < 1e-12, "\(place)")
    }
  }

  /// 150 objects, all found: with a limit of 100 a third is missed.
  @Test func moreThanAHundredObjects() {
    let boxes = (0..<150).map { EvaluationBox(x: Double($0 % 15) * 12, y: Double($0 / 15) * 12, width: 10, height: 10) }
    let groundTruths = boxes.enumerated().map { index, box in
      EvaluationGroundTruth(annotationID: Int64(index + 1), imageID: 1, label: 0, box: box, area: 100)
    }
    let detections = boxes.enumerated().map { index, box in
      EvaluationDetection(imageID: 1, label: 0, box: box, score: 1 - Double(index) / 1000)
    }
    func result(_ parameters: EvaluationParameters) -> EvaluationResult {
      CocoEvaluator(imageIDs: [1], labelCount: 1, groundTruths: groundTruths, parameters: parameters)
        .evaluate(detections)
    }
    let dense = result(parameters([1, 100, 500]))
    #expect(largestDifference(dense.statistics, [67 / 101, 1, 1, 1, -1, -1, 1 / 150, 2 / 3, 1, 1, -1, -1]) < 1e-12)
    // Without options: COCO's twelve, and mmdetection's limits for its names.
    let plain = result(EvaluationParameters())
    #expect(largestDifference([plain.statistics[1], plain.statistics[8]], [67 / 101, 2 / 3]) < 1e-12)
    #expect(plain.mmdetectionMetrics.map(\.value) == [0.663, 1, 1, 1, -1, -1])
    #expect(plain.averagePrecisionOfLabels == [1])
  }

  @Test func namesFollowTheNumbers() throws {
    let data = try EvaluationCase(GoldenCase.all("coco_eval")[0])
    var parameters = parameters([2, 5, 8], overlaps: [0.3, 0.5, 0.9], ranges: own)
    #expect(
      parameters.metricNames == [
        "mAP", "mAP_50", "mAP_tiny", "mAP_small", "mAP_rest", "AR@2", "AR@5", "AR@8", "AR_tiny@8", "AR_small@8",
        "AR_rest@8",
      ])
    parameters.metricItems = ["AR_tiny@8", "mAP_50"]
    let result = data.result(parameters)
    #expect(result.mmdetectionMetrics.map(\.name) == ["bbox_AR_tiny@8", "bbox_mAP_50"])
    #expect(
      result.namedStatistics.map(\.name) == [
        "AP", "AP50", "AP75", "AP_tiny", "AP_small", "AP_rest", "AR2", "AR5", "AR8", "AR_tiny", "AR_small", "AR_rest",
      ])
    #expect(result.summary[3].contains("IoU=0.30:0.90 | area=  tiny | maxDets=  8 ] = "))
    #expect(
      EvaluationParameters().metricNames == [
        "mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l", "AR@100", "AR@300", "AR@1000", "AR_s@1000", "AR_m@1000",
        "AR_l@1000",
      ])
  }

  @Test(
    .enabled(if: Python.has("pycocotools.cocoeval"), "python3 with pycocotools is not installed"), arguments: 0..<3)
  func pycocotoolsGivesTheSame(_ index: Int) throws {
    let golden = try GoldenCase.all("coco_eval")[index]
    let data = try EvaluationCase(golden)
    let output = try Python.run(
      """
      import contextlib, io, numpy as np, sys
      from pycocotools.coco import COCO
      from pycocotools.cocoeval import COCOeval
      with contextlib.redirect_stdout(io.StringIO()):
          truth = COCO(sys.argv[1])
          e = COCOeval(truth, truth.loadRes(sys.argv[2]), "bbox")
          e.params.maxDets = [1, 3, 200]
          e.params.iouThrs = np.array([0.2, 0.5, 0.75])
          e.params.areaRng = [[0, 1e10], [0, 500], [500, 4000], [4000, 1e10]]
          e.evaluate(); e.accumulate(); e.summarize()
          e.stats[0] = e.eval["precision"][:, :, :, 0, 2][e.eval["precision"][:, :, :, 0, 2] > -1].mean()
      print(*[repr(float(x)) for x in e.stats])
      """,
      [GoldenCase.path(golden.string("annotations")!), GoldenCase.path(golden.string("detections")!)])
    let ranges = [AreaRange("a", 0...500), AreaRange("b", 500...4000), AreaRange("c", 4000...1e10)]
    let result = data.result(parameters([1, 3, 200], overlaps: [0.2, 0.5, 0.75], ranges: ranges))
    #expect(
      largestDifference(result.statistics, output.split(whereSeparator: \.isWhitespace).map { Double($0)! }) < 1e-12)
  }
}
