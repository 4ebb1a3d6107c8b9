import Kernels

/// The gradient of a tensor, once something flowed back into it.
///
/// An operation whose backward pass doesn't need the values of its input or output captures their slots instead of the
/// tensors, so that the values' memory is free as soon as the forward pass is done with them.
public final class GradientSlot {
  public let count: Int
  private let engine: Engine
  private var buffer: Buffer?

  init(count: Int, on engine: Engine) { (self.count, self.engine) = (count, engine) }

  /// Memory for the gradient, taken over before anything flowed back.
  private var reserve: Buffer?

  /// Whether anything flowed back.
  public var isFilled: Bool { buffer != nil }

  func adopt(_ memory: Buffer) { if buffer == nil { reserve = memory } }

  /// Moves the gradient of the same array here.
  func take(from other: GradientSlot) {
    precondition(buffer == nil && other.count == count, "a gradient of \(other.count) values for \(count)")
    (buffer, other.buffer) = (other.buffer, nil)
  }

  /// The gradient of an operation's output, inside its backward closure.
  public var values: Floats {
    guard let buffer else { preconditionFailure("nothing flowed back into an array of \(count) values") }
    return buffer.values
  }

  /// The gradient and whether it is fresh: a fresh one has undefined contents and must be written as a whole,
  /// another one must be added to.
  public func target() -> (values: Floats, isFresh: Bool) {
    if let buffer { return (buffer.values, false) }
    let fresh = reserve ?? engine.pool.buffer(count)
    (buffer, reserve) = (fresh, nil)
    return (fresh.values, true)
  }

  /// The gradient to be added to; zero when fresh.
  public func toAddTo() -> Floats {
    let (values, isFresh) = target()
    if isFresh { engine.workers.clear(values, count: count) }
    return values
  }
}
