import Kernels
import Primitives
import TestSupport
import Testing

@Suite struct RoIAlignTests {
  @Test(arguments: [1, 7, 8, 9, 17, 33]) func agreesWithTheNaiveVersion(channels: Int) {
    for (ratio, aligned) in [(0, true), (2, true), (0, false), (3, false)] {
      let align = RoIAlign(outputHeight: 3, outputWidth: 2, samplingRatio: ratio, aligned: aligned)
      let scene = Scene(channels: channels, align: align)
      let (output, gradients) = scene.run(threads: 2)
      let naive = NaiveRoIAlign(scene: scene)
      expectClose(output, naive.output, absolute: 1e-5, "output, \(channels) channels, ratio \(ratio)")
      for (gradient, expected) in zip(gradients, naive.gradients) {
        expectClose(gradient, expected, absolute: 1e-5, "gradient, \(channels) channels, ratio \(ratio)")
      }
    }
  }

  @Test func bitsDoNotDependOnTheNumberOfThreads() {
    let align = RoIAlign(outputHeight: 7, outputWidth: 7, samplingRatio: 0, aligned: true)
    let scene = Scene(channels: 130, align: align)
    let (output, gradients) = scene.run(threads: 1)
    for threads in [2, 3, 8] {
      let (other, otherGradients) = scene.run(threads: threads)
      #expect(output == other)
      #expect(gradients == otherGradients)
    }
  }
}

/// Two levels of two images, regions within, across and beyond the border, without extent and larger than the map.
private struct Scene {
  let align: RoIAlign
  let channels: Int
  let sizes = [(height: 9, width: 13), (height: 5, width: 7)]
  let scales: [Float] = [0.25, 0.125]
  let maps: [[Float]]
  let outputGradient: [Float]
  let regions: [RegionOfInterest]
  let levelOf: [Int]

  init(channels: Int, align: RoIAlign) {
    var random = KeyedRandom(seed: 1, purpose: .test, item: Int64(channels))
    var regions = [
      RegionOfInterest(image: 0, x1: 4, y1: 3, x2: 30.5, y2: 20), .init(image: 1, x1: -9, y1: -7, x2: 12, y2: 9),
      .init(image: 1, x1: 0, y1: 0, x2: 52, y2: 36), .init(image: 0, x1: 10, y1: 10, x2: 10, y2: 10),
      .init(image: 0, x1: 300, y1: 3, x2: 330, y2: 20), .init(image: 1, x1: -20, y1: -30, x2: 90, y2: 70),
    ]
    for image in 0..<10 {
      let (x, y) = (50 * random.uniform() - 5, 40 * random.uniform() - 5)
      regions.append(
        .init(image: image % 2, x1: x, y1: y, x2: x + 40 * random.uniform(), y2: y + 30 * random.uniform()))
    }
    self.regions = regions
    levelOf = regions.indices.map { $0 % 3 == 0 ? 1 : 0 }
    maps = sizes.map { size in (0..<2 * size.height * size.width * channels).map { _ in random.normal() } }
    outputGradient = (0..<regions.count * align.outputHeight * align.outputWidth * channels).map { _ in
      random.normal()
    }
    (self.align, self.channels) = (align, channels)
  }

  func run(threads: Int) -> (output: [Float], gradients: [[Float]]) {
    let workers = Workers(count: threads)
    let (features, slopes) = (maps.map(Memory.init), Memory(outputGradient))
    let output = Memory([Float](repeating: .nan, count: outputGradient.count))
    let gradients = maps.map { Memory([Float](repeating: 0, count: $0.count)) }
    withExtendedLifetime((features, slopes)) {
      align.forward(levels(features), regions: regions, levelOf: levelOf, into: output.values, workers)
      align.backward(slopes.values, regions: regions, levelOf: levelOf, into: levels(gradients), workers)
    }
    return (output.array, gradients.map(\.array))
  }

  private func levels(_ arrays: [Memory]) -> [FeatureMap] {
    zip(arrays, zip(sizes, scales)).map { array, level in
      FeatureMap(
        array.values, images: 2, height: level.0.height, width: level.0.width, channels: channels, scale: level.1)
    }
  }
}

private final class Memory {
  let values: Floats
  let count: Int

  init(_ array: [Float]) {
    (values, count) = (.allocate(capacity: array.count), array.count)
    for (i, value) in array.enumerated() { values[i] = value }
  }

  deinit { values.deallocate() }

  var array: [Float] { (0..<count).map { values[$0] } }
}

/// Sample by sample, in double precision.
private struct NaiveRoIAlign {
  var output: [Float] = []
  var gradients: [[Float]]

  init(scene: Scene) {
    gradients = scene.maps.map { [Float](repeating: 0, count: $0.count) }
    output = [Float](repeating: 0, count: scene.outputGradient.count)
    let (rows, columns) = (scene.align.outputHeight, scene.align.outputWidth)
    for (r, region) in scene.regions.enumerated() {
      let level = scene.levelOf[r]
      let (size, scale) = (scene.sizes[level], scene.scales[level])
      let ys = Self.samples(region.y1 * scale, region.y2 * scale, bins: rows, scene.align)
      let xs = Self.samples(region.x1 * scale, region.x2 * scale, bins: columns, scene.align)
      for i in 0..<rows {
        for j in 0..<columns {
          for y in ys[i] {
            for x in xs[j] {
              for (row, column, weight) in Self.corners(y, x, size.height, size.width) {
                for c in 0..<scene.channels {
                  let cell = ((region.image * size.height + row) * size.width + column) * scene.channels + c
                  let bin = ((r * rows + i) * columns + j) * scene.channels + c
                  let share = Float(weight / Double(ys[i].count * xs[j].count))
                  output[bin] += share * scene.maps[level][cell]
                  gradients[level][cell] += share * scene.outputGradient[bin]
                }
              }
            }
          }
        }
      }
    }
  }

  private static func samples(_ from: Float, _ to: Float, bins: Int, _ align: RoIAlign) -> [[Float]] {
    let offset: Float = align.aligned ? 0.5 : 0
    let start = from - offset
    let length = align.aligned ? to - offset - start : max(to - offset - start, 1)
    let step = length / Float(bins)
    let count = align.samplingRatio > 0 ? align.samplingRatio : Int(step.rounded(.up))
    return (0..<bins).map { bin in
      (0..<count).map { start + Float(bin) * step + (Float($0) + 0.5) * step / Float(count) }
    }
  }

  private static func corners(
    _ y: Float, _ x: Float, _ height: Int, _ width: Int
  ) -> [(row: Int, column: Int, weight: Double)] {
    if y < -1 || y > Float(height) || x < -1 || x > Float(width) { return [] }
    let (y, x) = (min(max(Double(y), 0), Double(height - 1)), min(max(Double(x), 0), Double(width - 1)))
    let (top, left) = (Int(y), Int(x))
    let (bottom, right) = (min(top + 1, height - 1), min(left + 1, width - 1))
    let (fy, fx) = (y - Double(top), x - Double(left))
    return [
      (top, left, (1 - fy) * (1 - fx)), (top, right, (1 - fy) * fx), (bottom, left, fy * (1 - fx)),
      (bottom, right, fy * fx),
    ]
  }
}
