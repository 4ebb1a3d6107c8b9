import Kernels
import TestSupport
import Testing

/// By hand, from the rule: a region reaches from x1 · scale to (x2 + 1) · scale, unrounded; bin i from ⌊i · length + start⌋
/// to ⌈(i + 1) · length + start⌉, within the map.
@Suite struct RoIPoolTests {
  /// A map whose value in row y and column x is 10 y + x.
  private func pool(
    _ region: RegionOfInterest, height: Int = 6, width: Int = 8, scale: Float, bins: Int = 2
  ) -> (output: [Float], gradient: [Float]) {
    let values = Values((0..<height * width).map { Float($0 / width * 10 + $0 % width) })
    let map = FeatureMap(values.floats, images: 1, height: height, width: width, channels: 1, scale: scale)
    let layer = RoIPool(outputHeight: bins, outputWidth: bins)
    let (output, slopes) = (Values(undefined: bins * bins), Values((1...bins * bins).map { Float($0) }))
    let gradient = Values([Float](repeating: 0, count: height * width))
    let target = FeatureMap(gradient.floats, images: 1, height: height, width: width, channels: 1, scale: scale)
    withExtendedLifetime((values, slopes)) {
      layer.forward([map], regions: [region], levelOf: [0], into: output.floats, Workers(count: 1))
      layer.backward(
        slopes.floats, values: RoIValues(levels: [map], output: output.floats), regions: [region], levelOf: [0],
        into: [target], Workers(count: 1))
    }
    return (output.array, gradient.array)
  }

  /// The cells that got a gradient, by the value of the map there.
  private func cells(_ gradient: [Float], width: Int = 8) -> [Float: Float] {
    Dictionary(
      uniqueKeysWithValues: gradient.indices.filter { gradient[$0] != 0 }.map {
        (Float($0 / width * 10 + $0 % width), gradient[$0])
      })
  }

  /// x: 2/4 … 16/4 is 0.5 … 4, bins 0.5 … 2.25 … 4, cells 0 … 2 and 2 … 3; y: 0 … 12/4, bins 0 … 1.5 … 3, cells 0 … 1 and
  /// 1 … 2. Rounded corners would start at column 1 (0.5 away from zero) and end at 4.
  @Test func cornersAreNotRounded() {
    let (output, gradient) = pool(.init(image: 0, x1: 2, y1: 0, x2: 15, y2: 11), scale: 0.25)
    #expect(output == [12, 13, 22, 23])
    #expect(cells(gradient) == [12: 1, 13: 2, 22: 3, 23: 4])
  }

  /// One pixel wide and high: a quarter of a cell, (6/4 … 7/4): every bin touches column 1 and row 1.
  @Test func aRegionInsideOfACell() {
    let (output, gradient) = pool(.init(image: 0, x1: 6, y1: 6, x2: 6, y2: 6), scale: 0.25)
    #expect(output == [11, 11, 11, 11] && cells(gradient) == [11: 1 + 2 + 3 + 4])
  }

  /// Columns 6 … 10 of 8, bins 6 … 8 … 10: the second is outside, 0 and without gradient; rows -2 … 0 … 2 of which the first
  /// is outside.
  @Test func binsOutsideOfTheMapAreZero() {
    let (output, gradient) = pool(.init(image: 0, x1: 6, y1: -2, x2: 9, y2: 1), scale: 1)
    #expect(output == [0, 0, 17, 0] && cells(gradient) == [17: 3])
  }

  /// x2 + 1 = x1: no extent, so no bin, though x1 lies on the map.
  @Test func aRegionWithoutExtentIsZero() {
    let (output, gradient) = pool(.init(image: 0, x1: 3, y1: 1, x2: 2, y2: 3), scale: 1)
    #expect(output == [0, 0, 0, 0] && cells(gradient) == [:])
  }
}
