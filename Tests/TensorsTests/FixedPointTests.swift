import Kernels
import Primitives
import Tensors
import Testing

/// Sums that do not depend on the order, and looks at whole arenas.
@Suite struct FixedPointTests {
  private let count = 200_003

  private func store() -> ParameterStore {
    let store = ParameterStore()
    _ = store.add("first", shape: [count - 7], isTrainable: true, initializer: .constant(0))
    _ = store.add("last", shape: [7], isTrainable: true, initializer: .constant(0))
    store.allocate(seed: 0)
    return store
  }

  /// Of many magnitudes, some so large or so small that they take another way.
  private func image(_ number: Int) -> [Float] {
    var random = KeyedRandom(seed: 5, purpose: .test, item: Int64(number))
    return (0..<count).map { place in
      let value = random.normal() * [1e-9, 1e-5, 1e-2, 1, 300, 0][place % 6]
      return place % 5003 == 0 ? value * 1000 : value
    }
  }

  private func sums(of images: [Int], threads: Int = 1) -> (bits: [UInt32], failure: FixedPointSums.Failure?) {
    let store = store()
    let sums = FixedPointSums(store: store, workers: Workers(count: threads))
    sums.begin(images: images.count)
    for (number, image) in images.enumerated() {
      for (place, value) in self.image(image).enumerated() { store.gradients[place] += value }
      if number < images.count - 1 { sums.addImage() }
    }
    sums.add(0..<1000)
    sums.add(1000..<count)
    sums.move(0..<count)
    return ((0..<count).map { store.gradients[$0].bitPattern }, sums.failure)
  }

  @Test func sumsHaveTheSameBitsInAnyOrderAndOnAnyNumberOfThreads() {
    let expected = sums(of: [1, 2, 3, 4])
    #expect(expected.failure == nil)
    #expect(sums(of: [4, 2, 1, 3]).bits == expected.bits)
    #expect(sums(of: [3, 1, 4, 2], threads: 2).bits == expected.bits)
    let images = [1, 2, 3, 4].map(image)
    for place in 0..<count {
      let exact = images.reduce(0.0) { $0 + Double($1[place]) }
      let error = abs(Double(Float(bitPattern: expected.bits[place])) - exact)
      if error > abs(exact) * 0x1p-23 + 4 * FixedPoint.unit {
        Issue.record("sum \(place) is \(Float(bitPattern: expected.bits[place])), not \(exact)")
        return
      }
    }
  }

  /// Values that a float's own rounding would lose, at both ways of rounding to whole units.
  @Test func roundsToTheNearestUnit() {
    let unit = Float(FixedPoint.unit)
    var values: [Float] = [
      0.5, 1.5, 2.5, 0.49, 0.51, -0.5, -1.5, -0.51, 3, -3, 1e6, -1e6, 0, -0.0, 0.25, 7.5, 2.5, 1e18, -1.5e18,
    ].map { $0 * unit }
    let expected: [Int64] = [0, 2, 2, 0, 1, 0, -2, -1, 3, -3, 1_000_000, -1_000_000, 0, 0, 0, 8, 2]
    var sums = [Int64](repeating: 0, count: values.count)
    #expect(FixedPoint.add(&values, to: &sums, values.count, bound: 1e9, Workers(count: 1)))
    #expect(Array(sums[..<17]) == expected)
    #expect(sums[17] == Int64(Double(Float(1e18) * unit) / FixedPoint.unit) && values.allSatisfy { $0 == 0 })
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, 3e6, -1.1e6])
  func whatDoesNotFitIsSaidWithItsImageAndParameter(_ value: Float) {
    for (place, name) in [(12, "first"), (count - 1, "last"), (count - 8, "first")] {
      let store = store()
      let sums = FixedPointSums(store: store, workers: Workers(count: 2))
      sums.begin(images: 4)
      store.gradients[3] = 2e6 / 2
      sums.addImage()
      #expect(sums.failure == nil)
      store.gradients[place] = value
      sums.addImage()
      #expect(sums.failure?.image == 1 && sums.failure?.parameter == name)
      #expect((0..<count).allSatisfy { store.gradients[$0] == 0 })
      sums.begin(images: 4)
      #expect(sums.failure == nil)
    }
  }

  @Test func oneNumberThatIsNotFiniteIsFound() {
    let (workers, values) = (Workers(count: 2), Floats.allocate(capacity: count))
    defer { values.deallocate() }
    values.initialize(repeating: -Float.greatestFiniteMagnitude, count: count)
    #expect(Magnitude.areFinite(values, count, workers) && Magnitude.areFinite(values, 0, workers))
    for place in [0, 15, 65_535, 65_536, 131_071, count - 1] {
      for value in [Float.nan, .infinity, -.infinity] {
        values[place] = value
        #expect(!Magnitude.areFinite(values, count, workers), "\(value) at \(place)")
      }
      values[place] = 1
    }
  }

  @Test func digestsTellEveryBitAndPlaceApart() {
    let (one, two) = (Workers(count: 1), Workers(count: 2))
    let values = Floats.allocate(capacity: count)
    defer { values.deallocate() }
    for (place, value) in image(1).enumerated() { values[place] = value }
    let digest = Digest.of(values, count, one)
    #expect(Digest.of(values, count, two) == digest)
    #expect(Digest.of(values, count - 1, one) != digest)
    var seen: Set = [digest]
    for place in [0, 17, 65_535, 65_536, count - 1] {
      for bit in [0, 1, 15, 22, 30, 31] {
        let before = values[place]
        values[place] = Float(bitPattern: before.bitPattern ^ 1 << bit)
        #expect(seen.insert(Digest.of(values, count, two)).inserted, "bit \(bit) of value \(place)")
        values[place] = before
      }
    }
    // Two signs in one lane, and two values that change places.
    for other in [16, 32] {
      (values[0], values[other]) = (-values[0], -values[other])
      #expect(seen.insert(Digest.of(values, count, one)).inserted)
      (values[0], values[other]) = (-values[other], -values[0])
      #expect(seen.insert(Digest.of(values, count, one)).inserted)
      (values[0], values[other]) = (values[other], values[0])
    }
  }
}
