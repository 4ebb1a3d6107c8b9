import Kernels
import Primitives

/// The gradient of a tensor, once something flowed back into it.
///
/// Backward passes capture the slots of their inputs and outputs instead of the tensors, so that the values' memory is
/// free as soon as nobody reads them any more.
public final class GradientSlot {
  /// The number of floats, as of the tensor.
  public let count: Int
  private let engine: Engine
  private var buffer: Buffer?

  init(count: Int, on engine: Engine) { (self.count, self.engine) = (count, engine) }

  /// Whether anything flowed back.
  public var isFilled: Bool { buffer != nil }

  /// Moves the gradient of the same array here.
  func take(from other: GradientSlot) {
    require(
      buffer == nil && other.count == count,
      "the gradient of an array of \(other.count) values moves to \(isFilled ? "a filled" : "an") array of \(count)")
    (buffer, other.buffer) = (other.buffer, nil)
  }

  /// The gradient of an operation's output, inside its backward closure.
  public var values: Floats {
    guard let buffer else { bug("nothing flowed back into an array of \(count) values, and its gradient is read") }
    return buffer.values
  }

  /// The gradient and whether it is fresh: a fresh one has undefined contents and must be written as a whole,
  /// another one must be added to.
  public func target() -> (values: Floats, isFresh: Bool) {
    if let buffer { return (buffer.values, false) }
    let fresh = engine.pool.buffer(count)
    buffer = fresh
    return (fresh.values, true)
  }

  /// The gradient to be added to; zero when fresh.
  public func toAddTo() -> Floats {
    let (values, isFresh) = target()
    if isFresh { engine.workers.clear(values, count: count) }
    return values
  }
}
