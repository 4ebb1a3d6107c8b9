import COCO
import Primitives
import Testing

/// Flip, normalisation and padding in one pass against each for itself.
@Suite struct BatchWritingTests {
  private static let mean: [Float] = [123.675, 116.28, 103.53]
  private static let std: [Float] = [58.395, 57.12, 57.375]

  @Test(arguments: [1, 7, 8, 9, 17, 33], [nil, FlipDirection.horizontal, .vertical, .diagonal])
  func equalsTheSeparateSteps(_ width: Int, _ flip: FlipDirection?) throws {
    for (toRGB, height) in [(true, 5), (false, 1), (true, 16)] {
      let pipeline = try Pipeline([
        .randomFlip(ratio: flip == nil ? 0 : 1, direction: flip ?? .horizontal),
        .normalize(mean: Self.mean.map(Double.init), std: Self.std.map(Double.init), toRGB: toRGB),
        .pad(sizeDivisor: 8),
      ])
      let picture = picture(height: height, width: width)
      let image = CocoDataset.Image(id: 4, fileName: "", width: width, height: height)
      let key = DrawKey(seed: 0, epoch: 0)
      let sample = pipeline.apply(picture, image, key: key)
      let size = ImageSize(height: 24, width: 40)
      let expected = padded(normalized(mirrored(picture, flip), toRGB: toRGB), picture.size, size)
      // What stood in the memory before must not show.
      var values = [Float](repeating: .nan, count: 2 * expected.count)
      Batch([sample, sample], plan: BatchPlan(key: key, iteration: 0, indices: [0, 0], size: size))
        .fill(&values)
      #expect(values.map(\.bitPattern) == (expected + expected).map(\.bitPattern))
    }
  }

  private func picture(height: Int, width: Int) -> DecodedImage {
    var random = KeyedRandom(seed: 3, purpose: .test, item: Int64(height * 100 + width))
    let pixels = (0..<height * width * 3).map { _ in UInt8(random.below(256)) }
    return DecodedImage(height: height, width: width, pixels: pixels)
  }

  private func mirrored(_ image: DecodedImage, _ flip: FlipDirection?) -> [UInt8] {
    var rows = (0..<image.height).map { y in
      (0..<image.width).map { x in Array(image.pixels[(y * image.width + x) * 3..<(y * image.width + x + 1) * 3]) }
    }
    if flip == .vertical || flip == .diagonal { rows.reverse() }
    if flip == .horizontal || flip == .diagonal { rows = rows.map { $0.reversed() } }
    return rows.flatMap { $0.flatMap { $0 } }
  }

  private func normalized(_ pixels: [UInt8], toRGB: Bool) -> [Float] {
    pixels.indices.map { index in
      let channel = index % 3
      let pixel = pixels[index - channel + (toRGB ? 2 - channel : channel)]
      return Float(Double(Float(pixel) - Self.mean[channel]) * (1 / Double(Self.std[channel])))
    }
  }

  private func padded(_ values: [Float], _ size: ImageSize, _ target: ImageSize) -> [Float] {
    (0..<target.height * target.width * 3).map { index in
      let (y, x) = (index / (target.width * 3), index % (target.width * 3))
      return y < size.height && x < size.width * 3 ? values[y * size.width * 3 + x] : 0
    }
  }
}
