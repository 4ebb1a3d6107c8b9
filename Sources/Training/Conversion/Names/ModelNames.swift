/// Brings the names of other programs' weights to mmdetection 2's.
struct ModelNames {
  private(set) var arrays: [Checkpoint.Array]
  private(set) var batchCounts: [String: Int] = [:]
  /// The classes and COCO's category ids, where they can be told from the weights.
  private(set) var categories: [COCOCategory] = []
  /// What the user should know, each a sentence.
  private(set) var notices: [String]

  /// - Throws: `PickleReader.Failure` for parts that have no place in a Faster R-CNN.
  init(_ weights: WeightArrays) throws {
    notices = weights.notices
    arrays = weights.arrays.map { Self.array($0, named: Self.withoutPrefix($0.name)) }
    for (name, count) in weights.batchCounts { batchCounts[Self.withoutPrefix(name)] = count }
    dropPreprocessor()
    guard !arrays.contains(where: { $0.name.hasPrefix("bbox_head.") || $0.name.hasPrefix("bbox_roi_extractor.") })
    else {
      throw PickleReader.Failure(
        "these are weights of mmdetection 1; tools/model_converters/upgrade_model_version.py there makes version 2's of them"
      )
    }
    if TorchvisionNames.areIn(arrays) { try translateTorchvision() }
  }

  static func array(_ array: Checkpoint.Array, named name: String) -> Checkpoint.Array {
    var array = array
    array.name = name
    return array
  }

  /// `module.` stands before every name where the model was wrapped for data parallelism.
  private static func withoutPrefix(_ name: String) -> String {
    name.hasPrefix("module.") ? String(name.dropFirst("module.".count)) : name
  }

  /// mmdetection 3 may keep the pictures' normalisation with the weights; here it is the pipeline's.
  private mutating func dropPreprocessor() {
    let dropped = arrays.filter { $0.name.hasPrefix("data_preprocessor.") }
    guard !dropped.isEmpty else { return }
    arrays.removeAll { $0.name.hasPrefix("data_preprocessor.") }
    let texts = dropped.map { "\($0.name) \($0.values.prefix(8).map { "\($0)" }.joined(separator: ","))" }
    notices.append("not taken over, because the pipeline's Normalize says it here: \(texts.joined(separator: "; "))")
  }

  private mutating func translateTorchvision() throws {
    let isSecond = TorchvisionNames.areOfSecondVersion(arrays)
    notices += isSecond ? TorchvisionNames.noticesOfSecondVersion : TorchvisionNames.notices
    arrays = try arrays.map { array in
      TorchvisionClasses.withBackgroundLast(
        Self.array(array, named: try TorchvisionNames.translated(array.name, isSecond: isSecond)))
    }
    var counts: [String: Int] = [:]
    for (name, count) in batchCounts { counts[try TorchvisionNames.translated(name, isSecond: isSecond)] = count }
    batchCounts = counts
    guard TorchvisionClasses.haveGaps(arrays) else { return }
    arrays = arrays.map(TorchvisionClasses.withoutGaps)
    categories = COCOCategory.all
    notices.append("of its 91 outputs the 80 of COCO's classes were taken, in the order of their category ids")
  }
}
