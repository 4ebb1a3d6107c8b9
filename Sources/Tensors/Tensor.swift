import Kernels
import Primitives

/// An array of floats with a shape, and a gradient once something flowed back into it.
///
/// Maps are `[N, H, W, C]` (channels innermost), rows `[N, C]`, scalars `[1]`.
public final class Tensor {
  /// Slowest axis first.
  public let shape: [Int]
  public let engine: Engine
  /// Whether the gradient is wanted: operations on tensors that don't want one record nothing.
  public let needsGradient: Bool
  /// The gradient's place: all that a backward pass captures of this tensor.
  public let gradientSlot: GradientSlot
  private let buffer: Buffer

  /// A tensor with undefined contents.
  public init(_ shape: [Int], on engine: Engine, needsGradient: Bool = false) {
    self.shape = shape
    self.engine = engine
    self.needsGradient = needsGradient && engine.tape != nil
    buffer = engine.pool.buffer(shape.reduce(1, *))
    gradientSlot = GradientSlot(count: buffer.count, on: engine)
  }

  /// A tensor of these values, in memory order; as many as the shape has.
  public convenience init(_ shape: [Int], _ values: [Float], on engine: Engine, needsGradient: Bool = false) {
    require(shape.reduce(1, *) == values.count, "\(values.count) values do not fill the shape \(shape)")
    self.init(shape, on: engine, needsGradient: needsGradient)
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { self.values.update(from: base, count: source.count) }
    }
  }

  private init(_ shape: [Int], _ buffer: Buffer, _ gradientSlot: GradientSlot, on engine: Engine, needsGradient: Bool) {
    (self.shape, self.engine, self.needsGradient) = (shape, engine, needsGradient)
    (self.buffer, self.gradientSlot) = (buffer, gradientSlot)
  }

  public var count: Int { buffer.count }
  /// The values in memory order, for as long as the tensor lives.
  public var values: Floats { buffer.values }
  /// A copy of the values, in memory order.
  public var array: [Float] { Array(UnsafeBufferPointer(start: values, count: count)) }

  /// A copy of some of the values, in memory order.
  public func array(_ range: Range<Int>) -> [Float] {
    Array(UnsafeBufferPointer(start: values + range.lowerBound, count: range.count))
  }

  /// Whether anything flowed back.
  public var hasGradient: Bool { gradientSlot.isFilled }

  /// The gradient, or nil when nothing flowed back.
  public var gradientArray: [Float]? {
    hasGradient ? Array(UnsafeBufferPointer(start: gradientSlot.values, count: count)) : nil
  }

  /// The values, held for a backward pass.
  var reading: Reading { Reading(buffer) }

  /// Whether a recorded backward pass is yet to read the values.
  var isToBeRead: Bool { buffer.pendingReadings > 0 }

  /// The same values and the same gradient seen in another shape.
  public func reshaped(_ shape: [Int]) -> Tensor {
    require(shape.reduce(1, *) == count, "\(self.shape) can't be seen as \(shape)")
    return Tensor(shape, buffer, gradientSlot, on: engine, needsGradient: needsGradient)
  }

  /// The same values with a gradient of their own.
  func needingGradient() -> Tensor {
    Tensor(shape, buffer, GradientSlot(count: count, on: engine), on: engine, needsGradient: true)
  }

  /// This tensor for a backward pass that calls operations on it, instead of reading its values.
  struct Again: Readable {
    let tensor: Tensor

    var kept: (Tensor, Reading) { (tensor, tensor.reading) }
    static func values(of kept: (Tensor, Reading)) -> Tensor { kept.0 }
  }
}
