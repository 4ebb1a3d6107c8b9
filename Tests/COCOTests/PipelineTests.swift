import COCO
import Primitives
import Testing

@Suite struct PipelineTests {
  private static let key = DrawKey(seed: 3, epoch: 1)

  private static func resize(_ scales: [(Int, Int)], _ mode: MultiscaleMode = .value, keepRatio: Bool) -> PipelineStep {
    .resize(
      scales: scales.map { ImageScale(width: $0.0, height: $0.1) }, mode: mode, keepRatio: keepRatio, clipsBoxes: true)
  }

  /// The hashes are those of OpenCV's `resize` with `INTER_LINEAR`: width and height, old and new.
  @Test(arguments: [
    (1, 1, 3, 2, 0x2f567e6e38ea98ff as UInt64),
    (1, 7, 5, 3, 0x7b689ca99a0d996c),
    (7, 1, 9, 4, 0x4ba1f726e4e35d17),
    (8, 8, 4, 4, 0x40b8a1fc320089fd),
    (9, 17, 33, 8, 0xd7cc2e731719b889),
    (33, 9, 7, 17, 0x4e52429629752f8e),
    (16, 16, 17, 15, 0x211cd5e67154a3b6),
    (40, 30, 97, 1, 0x38b6b029b0ed0543),
    (13, 11, 1, 1, 0x533be21a637be6c7),
    (64, 48, 133, 100, 0x537e11ff88218402),
    (100, 67, 60, 40, 0x769d436c516c8c39),
    (33, 33, 32, 32, 0xf9549ddf332a3b6c),
  ])
  func resizedPixelsAreThoseOfOpenCV(_ case: (Int, Int, Int, Int, UInt64)) throws {
    let (width, height, newWidth, newHeight, hash) = `case`
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        for channel in 0..<3 { pixels.append(UInt8(truncatingIfNeeded: x * 37 + y * 101 + channel * 53 + x * y * 7)) }
      }
    }
    let pipeline = try Pipeline([Self.resize([(newWidth, newHeight)], keepRatio: false)])
    let image = CocoDataset.Image(id: 1, fileName: "", width: width, height: height)
    let sample = pipeline.apply(DecodedImage(height: height, width: width, pixels: pixels), image, key: Self.key)
    #expect(sample.geometry.imgShape == ImageSize(height: newHeight, width: newWidth))
    #expect(TestData.hash(sample.pixels.map { UInt8($0) }) == hash)
  }

  @Test func valueModeDrawsEveryScaleAndRangeModeEverySize() throws {
    let size = ImageSize(height: 100, width: 100)
    let value = try Pipeline([Self.resize([(30, 30), (40, 40), (50, 50)], keepRatio: true)])
    let range = try Pipeline([Self.resize([(90, 12), (90, 10)], .range, keepRatio: true)])
    func sides(_ pipeline: Pipeline) -> [Int: Int] {
      let widths = (0..<3000).map {
        pipeline.geometry(of: size, imageID: Int64($0), key: Self.key).imgShape.width
      }
      return Dictionary(grouping: widths, by: \.self).mapValues(\.count)
    }
    for counts in [sides(value), sides(range)] {
      #expect(counts.count == 3 && counts.values.allSatisfy { (900...1100).contains($0) })
    }
    #expect(Set(sides(value).keys) == [30, 40, 50] && Set(sides(range).keys) == [10, 11, 12])
  }

  @Test func directionsOfAFlipAreDrawnByTheirRatios() throws {
    let pipeline = try Pipeline([
      .randomFlip([FlipChance(direction: .vertical, ratio: 0.2), FlipChance(direction: .diagonal, ratio: 0.5)])
    ])
    let flips = (0..<3000).map {
      pipeline.geometry(of: ImageSize(height: 9, width: 9), imageID: Int64($0), key: Self.key).flip
    }
    #expect((540...660).contains(flips.count { $0 == .vertical }))
    #expect((1400...1600).contains(flips.count { $0 == .diagonal }))
    #expect((820...980).contains(flips.count { $0 == nil }))
  }

  @Test func drawsDependOnSeedEpochAndImageOnly() throws {
    let pipeline = try Pipeline([
      Self.resize([(30, 30), (40, 40)], keepRatio: true), .randomFlip(ratio: 0.5, direction: .horizontal),
    ])
    func draws(_ seed: UInt64, _ epoch: Int, images: [Int64] = Array(0..<400)) -> [Geometry] {
      images.map {
        pipeline.geometry(of: ImageSize(height: 9, width: 9), imageID: $0, key: DrawKey(seed: seed, epoch: epoch))
      }
    }
    #expect(draws(1, 1, images: (0..<400).reversed()) == draws(1, 1).reversed())
    let text = draws(1, 1).map { "\($0.imgShape.width)\($0.flip?.rawValue ?? "")" }.joined(separator: " ")
    #expect(KeyedRandom.hash(text) == -6_458_062_096_267_015_297)
    #expect(draws(1, 1) != draws(2, 1) && draws(1, 1) != draws(1, 2))
    let flips = draws(1, 1).count { $0.flip != nil }
    #expect((160...240).contains(flips))
    // Flips and scales are drawn independently.
    let both = draws(1, 1).count { $0.flip != nil && $0.imgShape.width == 30 }
    #expect((70...130).contains(both))
  }

  @Test func aBatchIsPaddedWithZerosToItsOwnSize() throws {
    let pipeline = try Pipeline([.normalize(mean: [1, 1, 1], std: [1, 1, 1], toRGB: true), .pad(sizeDivisor: 4)])
    let sizes = [ImageSize(height: 3, width: 5), ImageSize(height: 6, width: 2)]
    let dataset = try TestData.dataset(sizes: sizes)
    let samples = zip(dataset.images, sizes).map { image, size in
      let pixels = [UInt8](repeating: 3, count: size.height * size.width * 3)
      return pipeline.apply(
        DecodedImage(height: size.height, width: size.width, pixels: pixels), image, key: Self.key)
    }
    let size = dataset.paddedSize(of: [0, 1], pipeline, key: Self.key)
    #expect(size == ImageSize(height: 8, width: 8))
    let batch = Batch(
      samples, plan: BatchPlan(key: DrawKey(seed: 3, epoch: 2), iteration: 5, indices: [0, 1], size: size))
    #expect(batch.epoch == 2 && batch.iteration == 5)
    #expect(batch.images.map(\.padShape) == [ImageSize(height: 4, width: 8), ImageSize(height: 8, width: 4)])
    #expect(batch.images.map(\.id) == dataset.images.map(\.id))
    for index in 0..<2 {
      for y in 0..<8 {
        for x in 0..<8 {
          let start = ((index * 8 + y) * 8 + x) * 3
          let expected: Float = y < sizes[index].height && x < sizes[index].width ? 2 : 0
          #expect(batch.pixels[start..<start + 3].allSatisfy { $0 == expected })
        }
      }
    }
  }

  @Test func aWrongListIsRefused() {
    let wrong: [([PipelineStep], String)] = [
      (
        [.pad(sizeDivisor: 4), .randomFlip(ratio: 0, direction: .vertical)],
        "'RandomFlip' comes after 'Pad'; Resize, RandomFlip, Normalize and Pad are expected once each and in this order"
      ),
      ([.pad(sizeDivisor: 0)], "'Pad': size_divisor must be positive"),
      ([.randomFlip(ratio: .nan, direction: .vertical)], "'RandomFlip': the flip ratio must be between 0 and 1"),
      ([.normalize(mean: [1, 2, 3], std: [1, 0, 1], toRGB: true)], "'Normalize': std must be positive"),
      ([Self.resize([], keepRatio: true)], "'Resize': img_scale needs positive sizes"),
      ([Self.resize([(9, 9)], .range, keepRatio: true)], "'Resize': multiscale_mode 'range' needs two img_scale sizes"),
    ]
    for (steps, message) in wrong {
      let error = #expect(throws: COCOError.self) { try Pipeline(steps) }
      #expect(error == COCOError(.badConfiguration, at: "pipeline", message))
    }
  }
}
