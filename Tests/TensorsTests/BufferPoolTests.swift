import Primitives
import Tensors
import Testing

@Suite struct BufferPoolTests {
  /// Random buffers come and go; each keeps what was written into it.
  @Test func buffersDontOverlap() {
    let pool = BufferPool()
    var random = KeyedRandom(seed: 1, purpose: .test)
    var held: [(buffer: Buffer, mark: Float)] = []
    for step in 0..<2000 {
      if held.count > 20 || (!held.isEmpty && random.uniform() < 0.4) {
        let (buffer, mark) = held.remove(at: random.below(held.count))
        #expect(buffer.values[0] == mark && buffer.values[buffer.count - 1] == mark)
      } else {
        let buffer = pool.buffer(1 + random.below(random.uniform() < 0.5 ? 100 : 1 << 22))
        #expect(Int(bitPattern: buffer.values) % 64 == 0)
        (buffer.values[0], buffer.values[buffer.count - 1]) = (Float(step), Float(step))
        held.append((buffer, Float(step)))
      }
    }
  }

  /// As the maps of training steps on pictures of nine sizes.
  @Test func memoryFollowsWhatIsInUseAndNotTheNumberOfSizes() {
    let pool = BufferPool()
    var random = KeyedRandom(seed: 2, purpose: .test)
    var (largest, growths) = (0, 0)
    for step in 0..<60 {
      let scale = 12 + random.below(9)
      let sizes = [16, 16, 8, 4, 4, 4, 2, 2, 1, 1, 8, 8].map { $0 * scale << 14 }
      largest = max(largest, sizes.reduce(0, +) * MemoryLayout<Float>.stride)
      var held = sizes.map { pool.buffer($0) }
      while held.popLast() != nil {}
      if step == 30 { growths = pool.allocationCount }
    }
    #expect(pool.allocationCount == growths)
    #expect(pool.allocatedBytes < largest * 5 / 4)
  }

  @Test func anEmptyBufferHasNoValues() { #expect(BufferPool().buffer(0).count == 0) }
}
