/// The network gave numbers in test mode that are no boxes or scores.
public struct DivergenceError: Error, Equatable, CustomStringConvertible, Sendable {
  public let description: String

  init(image: Int64, count: Int, of kind: String) {
    description =
      "image \(image): \(count) of its \(kind) are not finite: the weights have diverged; use an older checkpoint"
  }
}
