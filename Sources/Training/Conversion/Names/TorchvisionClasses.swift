/// The rows of the last layers: torchvision's background is class 0, mmdetection's is the last one and has no boxes.
enum TorchvisionClasses {
  private static func isOfClasses(_ array: Checkpoint.Array) -> Bool { array.name.contains(".fc_cls.") }
  private static func isOfBoxes(_ array: Checkpoint.Array) -> Bool { array.name.contains(".fc_reg.") }

  static func withBackgroundLast(_ array: Checkpoint.Array) -> Checkpoint.Array {
    guard isOfClasses(array) || isOfBoxes(array), let rows = array.shape.first,
      rows >= (isOfBoxes(array) ? 4 : 1)
    else { return array }
    let background = array.values.count / rows * (isOfBoxes(array) ? 4 : 1)
    var result = array
    result.values = Array(array.values.dropFirst(background))
    if isOfClasses(array) { result.values += array.values.prefix(background) }
    if isOfBoxes(array) { result.shape[0] -= 4 }
    return result
  }

  /// The other way round. The background's boxes, which nothing reads, are zeros.
  static func withBackgroundFirst(_ array: Checkpoint.Array) -> Checkpoint.Array {
    guard isOfClasses(array) || isOfBoxes(array), let rows = array.shape.first, rows > 0 else { return array }
    let width = array.values.count / rows
    var result = array
    if isOfBoxes(array) {
      result.values.insert(contentsOf: repeatElement(0, count: 4 * width), at: 0)
      result.shape[0] += 4
    } else {
      result.values = array.values.suffix(width) + array.values.dropLast(width)
    }
    return result
  }

  /// Whether the outputs are those of COCO's category ids 1 … 90, of which 80 are classes.
  static func haveGaps(_ arrays: [Checkpoint.Array]) -> Bool {
    arrays.contains(where: isOfClasses)
      && arrays.allSatisfy { (!isOfClasses($0) || $0.shape.first == 91) && (!isOfBoxes($0) || $0.shape.first == 360) }
  }

  /// The rows of the 80 classes, and the background's. To be given what `withBackgroundLast` gave.
  static func withoutGaps(_ array: Checkpoint.Array) -> Checkpoint.Array {
    guard isOfClasses(array) || isOfBoxes(array) else { return array }
    let width = array.values.count / array.shape[0] * (isOfBoxes(array) ? 4 : 1)
    let places = COCOCategory.all.map { $0.id - 1 } + (isOfClasses(array) ? [90] : [])
    return Checkpoint.Array(
      name: array.name, shape: [places.count * (isOfBoxes(array) ? 4 : 1)] + array.shape.dropFirst(),
      values: places.flatMap { array.values[$0 * width..<($0 + 1) * width] })
  }
}
