import COCO
import Primitives
import Testing

/// `LoadImageFromFile` with `to_float32: true`.
@Suite struct FloatPictureTests {
  private static let key = DrawKey(seed: 3, epoch: 1)

  private func picture(_ size: ImageSize) -> DecodedImage {
    var pixels: [UInt8] = []
    for y in 0..<size.height {
      for x in 0..<size.width {
        for channel in 0..<3 { pixels.append(UInt8(truncatingIfNeeded: x * 37 + y * 101 + channel * 53 + x * y * 7)) }
      }
    }
    return DecodedImage(height: size.height, width: size.width, pixels: pixels)
  }

  private func sample(_ size: ImageSize, _ steps: [PipelineStep]) throws -> Sample {
    let image = CocoDataset.Image(id: 1, fileName: "", width: size.width, height: size.height)
    return try Pipeline(steps).apply(picture(size), image, key: Self.key)
  }

  private func resize(_ size: ImageSize) -> PipelineStep {
    .resize(
      scales: [ImageScale(width: size.width, height: size.height)], mode: .value, keepRatio: false, clipsBoxes: true)
  }

  /// Values at every 7919th place (modulo their number), and the sum of all, of OpenCV's `resize` of a float32 picture
  /// with `INTER_LINEAR`: width and height, old and new. A place near 100 is rounded by up to 4e-6, and pixels differ by up to
  /// 255 from one to the next.
  @Test(
    arguments: [
      (9, 17, 33, 8, [56.8125, 153.6875, 100.6875, 159.6875], 101904.7272),
      (33, 9, 7, 17, [68.714287, 96.613441, 216.495804, 73.336128], 44851.5880),
      (100, 67, 60, 40, [47.208332, 97.979164, 149.145844, 84.045830], 916741.3337),
    ] as [(Int, Int, Int, Int, [Float], Double)])
  func resizedPixelsAreThoseOfOpenCV(_ case: (Int, Int, Int, Int, [Float], Double)) throws {
    let (width, height, newWidth, newHeight, values, sum) = `case`
    let pixels = try sample(
      ImageSize(height: height, width: width), [.loadAsFloats, resize(ImageSize(height: newHeight, width: newWidth))]
    ).pixels
    #expect(pixels.count == newHeight * newWidth * 3)
    for (place, value) in values.enumerated() { #expect(abs(pixels[place * 7919 % pixels.count] - value) < 2e-3) }
    #expect(abs(pixels.reduce(0) { $0 + Double($1) } - sum) < 1)
  }

  /// Against each step for itself, in double precision.
  @Test(arguments: [nil, FlipDirection.horizontal, .vertical, .diagonal], [true, false])
  func resizeFlipNormalizeAndPad(_ flip: FlipDirection?, _ toRGB: Bool) throws {
    let (size, resized) = (ImageSize(height: 23, width: 31), ImageSize(height: 14, width: 45))
    let (mean, std) = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
    let steps: [PipelineStep] = [
      resize(resized), .randomFlip(ratio: flip == nil ? 0 : 1, direction: flip ?? .horizontal),
      .normalize(mean: mean, std: std, toRGB: toRGB), .pad(sizeDivisor: 16),
    ]
    let source = picture(size)
    let plan = BatchPlan(key: Self.key, iteration: 0, indices: [0], size: ImageSize(height: 16, width: 48))
    let floats = Batch([try sample(size, [.loadAsFloats] + steps)], plan: plan).pixels
    let bytes = Batch([try sample(size, steps)], plan: plan).pixels
    for y in 0..<16 {
      for x in 0..<48 {
        for channel in 0..<3 {
          let index = (y * 48 + x) * 3 + channel
          guard y < resized.height, x < resized.width else {
            #expect(floats[index] == 0)
            continue
          }
          let place = (
            y: flip == .vertical || flip == .diagonal ? resized.height - 1 - y : y,
            x: flip == .horizontal || flip == .diagonal ? resized.width - 1 - x : x
          )
          let value = bilinear(source, resized, place.y, place.x, channel: toRGB ? 2 - channel : channel)
          #expect(abs(Double(floats[index]) - (value - mean[channel]) / std[channel]) < 1e-5)
          // Bytes are rounded, and so are their weights and the sums on the way: together by one grey level at most.
          #expect(abs(Double(floats[index] - bytes[index])) * std[channel] < 1)
        }
      }
    }
  }

  /// With half-pixel centres; beyond the border is the border.
  private func bilinear(_ image: DecodedImage, _ size: ImageSize, _ y: Int, _ x: Int, channel: Int) -> Double {
    func places(_ index: Int, _ source: Int, _ target: Int) -> [(Int, Double)] {
      let place = min(max((Double(index) + 0.5) * Double(source) / Double(target) - 0.5, 0), Double(source - 1))
      let (base, fraction) = (Int(place), place - place.rounded(.down))
      return [(base, 1 - fraction), (min(base + 1, source - 1), fraction)]
    }
    var sum = 0.0
    for (row, weight) in places(y, image.height, size.height) {
      for (column, other) in places(x, image.width, size.width) {
        sum += weight * other * Double(image.pixels[(row * image.width + column) * 3 + channel])
      }
    }
    return sum
  }

  @Test func withoutResizeNothingChanges() throws {
    let size = ImageSize(height: 6, width: 5)
    let steps: [PipelineStep] = [
      .randomFlip(ratio: 1, direction: .horizontal),
      .normalize(mean: [1.5, 2, 3], std: [3, 5, 7], toRGB: true),
    ]
    #expect(try sample(size, steps).pixels == sample(size, [.loadAsFloats] + steps).pixels)
    #expect(try sample(size, [resize(size)]).pixels == sample(size, [.loadAsFloats, resize(size)]).pixels)
  }
}
