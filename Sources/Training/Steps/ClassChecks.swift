import COCO
import Detection
import Primitives

extension CocoDataset {
  /// A data set has as many classes as the model tells apart: a label beyond them has no score, a score beyond them no
  /// category. mmdetection's `NumClassCheckHook`, for data without `classes` too.
  /// - Throws: `COCOError`.
  func checkClasses(fit model: TwoStageConfiguration) throws {
    let expected = model.numClasses
    guard classes.count != expected else { return }
    let names = classes.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
    throw COCOError(
      .badConfiguration, at: summary.path,
      """
      its \(classes.count) categories are \(names)\(classes.count > 20 ? ", …" : ""), but \
      model.roi_head.bbox_head.num_classes is \(expected); name \(expected) of them in 'classes' of each part of 'data' \
      (without a category 0 that only heads the others, as Roboflow writes one), or set num_classes to \(classes.count)
      """)
  }
}
