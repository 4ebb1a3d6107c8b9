import COCO
import Detection
import Primitives

extension CocoDataset {
  /// A data set has as many classes as the model tells apart: a label beyond them has no score, a score beyond them no
  /// category. mmdetection's `NumClassCheckHook`, for data without `classes` too.
  /// - Throws: `COCOError`.
  func checkClasses(fit model: TwoStageConfiguration) throws {
    guard let expected = model.numClasses, classes.count != expected else { return }
    let twins = categoriesShareNames ? " (several in the file have the same name)" : ""
    let names = FirstFew.words(classes.map { "'\($0)'" }, most: 20)
    throw COCOError(
      .badConfiguration, at: summary.path,
      """
      its \(classes.count) categories are \(names)\(twins), but \
      model.roi_head.bbox_head.num_classes is \(expected); name \(expected) of them in 'classes' of each part of 'data' \
      (without a category 0 that only heads the others, as Roboflow writes one), or set num_classes to \(classes.count)
      """)
  }

  /// What is measured while training needs something to measure against.
  /// - Throws: `COCOError`.
  func checkGroundTruth() throws {
    guard !hasAnnotations else { return }
    throw COCOError(
      at: summary.path,
      "has no 'annotations', so that nothing can be measured on it while training: name a file that has them as "
        + "'data.val', or switch that off (evaluation: null, or --no-validate)")
  }

  /// Why a test has no metrics; nil where it has.
  var reasonForNoMetrics: String? {
    guard !hasGroundTruth else { return nil }
    return "\(summary.path): \(hasAnnotations ? "'annotations' is empty" : "has no 'annotations'"): nothing is measured"
  }
}
