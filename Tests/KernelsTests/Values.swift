import Kernels
import Primitives

/// Floats at a fixed place, for the kernels.
final class Values {
  let floats: Floats
  let count: Int

  init(_ values: [Float]) {
    count = values.count
    floats = .allocate(capacity: max(1, count))
    floats.initialize(from: values, count: count)
  }

  /// Numbers between -1 and 1.
  convenience init(random count: Int, seed: UInt64) {
    var random = KeyedRandom(seed: seed, purpose: .test)
    self.init((0..<count).map { _ in 2 * random.uniform() - 1 })
  }

  /// Numbers that a kernel must overwrite.
  convenience init(undefined count: Int) { self.init([Float](repeating: .nan, count: count)) }

  deinit { floats.deallocate() }

  var array: [Float] { Array(UnsafeBufferPointer(start: floats, count: count)) }
  subscript(index: Int) -> Double { Double(floats[index]) }
}
