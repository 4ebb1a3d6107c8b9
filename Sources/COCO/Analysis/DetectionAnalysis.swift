/// By which rules detections are analysed.
public struct AnalysisParameters: Hashable, Sendable {
  /// How many of the best detections of a class in a picture count in precision and recall: three numbers, ascending.
  public var maxDets = [1, 10, 100]
  /// The least IoU of a detection that finds an object: of the confusion matrix, the kinds of errors, the score
  /// thresholds and the pictures.
  public var overlap = 0.5
  /// Up to which IoU with everything a detection is one of the background (TIDE).
  public var backgroundOverlap = 0.1
  /// The least score of a detection in the confusion matrix.
  public var scoreThreshold = 0.3
  /// Into how many points a curve over score thresholds is thinned out, at least 3.
  public var curvePoints = 200

  public init() {}
}

/// What can be told of detections beside the ground truth: the numbers of `rcnn-train report`.
///
/// Labels are 0 ..< `labelCount`. All shares are 0 … 1, also average precisions.
public struct DetectionAnalysis: Hashable, Sendable {
  public let labelCount: Int
  public let parameters: AnalysisParameters
  /// COCO's twelve numbers, with its ten IoU thresholds and three size ranges.
  public let result: EvaluationResult
  public let curves: PrecisionRecallCurves
  public let confusion: ConfusionMatrix
  public let errors: DetectionErrors
  public let thresholds: ScoreThresholds
  /// In ascending order of ids.
  public let pictures: PictureFindings
}

extension DetectionAnalysis {
  /// - Parameters:
  ///   - imageIDs: the pictures, in the order of the annotation file, which decides between equal scores in `errors`.
  ///     What lies in others is left out.
  ///   - labelCount: the number of classes.
  ///   - groundTruths: with labels below `labelCount`, like `detections`.
  ///   - detections: what was found, in any pictures.
  ///   - parameters: by which rules they are analysed.
  public init(
    imageIDs: [Int64], labelCount: Int, groundTruths: [EvaluationGroundTruth], detections: [EvaluationDetection],
    parameters: AnalysisParameters = AnalysisParameters()
  ) {
    (self.labelCount, self.parameters) = (labelCount, parameters)
    var evaluation = EvaluationParameters()
    (evaluation.maxDets, evaluation.proposalNums) = (parameters.maxDets, parameters.maxDets)
    result = CocoEvaluator(
      imageIDs: imageIDs, labelCount: labelCount, groundTruths: groundTruths, parameters: evaluation
    ).evaluate(detections)
    curves = PrecisionRecallCurves(result)
    let pictures = AnalysedPicture.all(imageIDs, labelCount: labelCount, groundTruths, detections)
    confusion = ConfusionMatrix(pictures, labelCount: labelCount, parameters)
    errors = DetectionErrors(pictures, labelCount: labelCount, detectionCount: detections.count, parameters)
    let matches = PictureMatches.all(pictures, parameters, errors: errors.kindsOfDetections)
    thresholds = ScoreThresholds(matches, labelCount: labelCount, points: parameters.curvePoints)
    self.pictures = PictureFindings(
      matches, threshold: thresholds.overall.best?.score ?? parameters.scoreThreshold)
  }
}
