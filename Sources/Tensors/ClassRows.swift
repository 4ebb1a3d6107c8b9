/// Which rows of a parameter's first axis belong to a class of objects: class by class from the first row on, then rows
/// that belong to none, as the background's. So a file's rows can be put into another order of classes.
public struct ClassRows: Equatable, Sendable {
  public let classes: Int
  public let rowsAClass: Int
  /// Rows behind those of the classes.
  public let others: Int

  public init(classes: Int, rowsAClass: Int, others: Int = 0) {
    (self.classes, self.rowsAClass, self.others) = (classes, rowsAClass, others)
  }

  /// All rows: the length of the first axis.
  public var count: Int { classes * rowsAClass + others }

  /// The rows of a class stand together and in their order; only classes change places.
  /// - Parameters:
  ///   - values: in PyTorch's layout, `[count, …]`.
  ///   - order: for each class of the result, its place in `values`.
  public func reordered(_ values: [Float], _ order: [Int]) -> [Float] {
    let width = values.count / max(count, 1) * rowsAClass
    return order.flatMap { values[$0 * width..<($0 + 1) * width] } + values[classes * width..<values.count]
  }
}
