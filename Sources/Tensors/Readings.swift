import Kernels
import Primitives

/// What `Tape.record` can be told that a backward pass reads: a tensor, an optional one, several. The tape keeps the
/// values' memory and no more of the tensor, and the backward pass is given the values.
public protocol Readable {
  associatedtype Kept
  associatedtype Values
  var kept: Kept { get }
  static func values(of kept: Kept) -> Values
}

/// A buffer that a recorded backward pass is yet to read. While there is one, nothing may be written over its values.
public final class Reading {
  let buffer: Buffer

  init(_ buffer: Buffer) {
    self.buffer = buffer
    buffer.pendingReadings += 1
  }

  deinit { buffer.pendingReadings -= 1 }
}

extension Tensor: Readable {
  public var kept: Reading { reading }
  public static func values(of kept: Reading) -> Floats { kept.buffer.values }
}

extension Optional: Readable where Wrapped: Readable {
  public var kept: Wrapped.Kept? { map(\.kept) }
  public static func values(of kept: Wrapped.Kept?) -> Wrapped.Values? { kept.map(Wrapped.values) }
}

extension Array: Readable where Element: Readable {
  public var kept: [Element.Kept] { map(\.kept) }
  public static func values(of kept: [Element.Kept]) -> [Element.Values] { kept.map(Element.values) }
}
