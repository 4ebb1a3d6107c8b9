import Kernels

/// An array of floats with a shape, and a gradient once something flowed back into it.
///
/// Maps are `[N, H, W, C]` (channels innermost), rows `[N, C]`, scalars `[1]`.
public final class Tensor {
  public let shape: [Int]
  public let engine: Engine
  /// Whether the gradient is wanted: operations on tensors that don't want one record nothing.
  public let needsGradient: Bool
  private let storage: Storage

  /// Shared between a tensor and its reshaped views.
  private final class Storage {
    let values: Buffer
    var gradient: Buffer?
    init(values: Buffer) { self.values = values }
  }

  /// A tensor with undefined contents.
  public init(_ shape: [Int], on engine: Engine, needsGradient: Bool = false) {
    self.shape = shape
    self.engine = engine
    self.needsGradient = needsGradient && engine.tape != nil
    storage = Storage(values: engine.pool.buffer(shape.reduce(1, *)))
  }

  public convenience init(_ shape: [Int], _ values: [Float], on engine: Engine, needsGradient: Bool = false) {
    precondition(shape.reduce(1, *) == values.count, "\(values.count) values do not fill the shape \(shape)")
    self.init(shape, on: engine, needsGradient: needsGradient)
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { self.values.update(from: base, count: source.count) }
    }
  }

  private init(viewing other: Tensor, as shape: [Int]) {
    precondition(shape.reduce(1, *) == other.count, "\(other.shape) can't be seen as \(shape)")
    self.shape = shape
    engine = other.engine
    needsGradient = other.needsGradient
    storage = other.storage
  }

  public var count: Int { storage.values.count }
  public var values: Floats { storage.values.values }
  public var array: [Float] { Array(UnsafeBufferPointer(start: values, count: count)) }

  /// A part of the values, in memory order.
  public func array(_ range: Range<Int>) -> [Float] {
    Array(UnsafeBufferPointer(start: values + range.lowerBound, count: range.count))
  }

  public var hasGradient: Bool { storage.gradient != nil }

  /// The gradient, or nil when nothing flowed back.
  public var gradientArray: [Float]? {
    storage.gradient.map { Array(UnsafeBufferPointer(start: $0.values, count: count)) }
  }

  /// The gradient of an operation's output, inside its backward closure.
  public var gradient: Floats {
    guard let gradient = storage.gradient else { preconditionFailure("nothing flowed back into \(shape)") }
    return gradient.values
  }

  /// The gradient to be added to; zero when fresh.
  public func gradientToAddTo() -> Floats {
    let (values, isFresh) = gradientTarget()
    if isFresh { values.update(repeating: 0, count: count) }
    return values
  }

  /// The gradient and whether it is fresh: a fresh one has undefined contents and must be written as a whole,
  /// another one must be added to.
  public func gradientTarget() -> (values: Floats, isFresh: Bool) {
    if let gradient = storage.gradient { return (gradient.values, false) }
    let gradient = engine.pool.buffer(count)
    storage.gradient = gradient
    return (gradient.values, true)
  }

  /// The same values and the same gradient seen in another shape.
  public func reshaped(_ shape: [Int]) -> Tensor { Tensor(viewing: self, as: shape) }
}
