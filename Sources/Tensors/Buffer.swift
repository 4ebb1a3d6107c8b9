import Kernels

/// A block of floats from a pool, given back when the last reference goes.
public final class Buffer {
  /// 64-byte aligned; contents undefined when new.
  public let values: Floats
  /// The number of floats.
  public let count: Int
  /// How many recorded backward passes are yet to read the values.
  var pendingReadings = 0
  private let release: () -> Void

  init(values: Floats, count: Int, release: @escaping () -> Void) {
    (self.values, self.count, self.release) = (values, count, release)
  }

  deinit { release() }

  /// Sets every value.
  public func fill(_ value: Float) { values.update(repeating: value, count: count) }
}
