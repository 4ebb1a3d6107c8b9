import COCO
import Foundation
import Primitives
import Testing

/// JPEGs decoded at 1/2, 1/4, 1/8 where Resize makes them smaller anyway.
@Suite final class ScaledDecodeTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/scaled-\(UUID().uuidString)"

  init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// A smooth picture with a little noise; grey, so that the subsampling of colours plays no part.
  private func jpeg(_ size: ImageSize, noise: Int = 0, value: (_ x: Int, _ y: Int) -> Double) throws -> [UInt8] {
    var random = KeyedRandom(seed: 1, purpose: .test)
    var pixels: [UInt8] = []
    for y in 0..<size.height {
      for x in 0..<size.width {
        let grey = value(x, y) + Double(random.below(noise + 1))
        pixels += [UInt8](repeating: UInt8(max(0, min(255, grey))), count: 3)
      }
    }
    let path = "\(folder)/\(UUID().uuidString).jpg"
    try ImageEncoder.write(pixels, size, .bgr, to: path, jpegQuality: 98)
    return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private func decode(_ file: [UInt8], covering target: ImageSize?) throws -> DecodedImage {
    try ImageDecoder.decode(file, path: "a.jpg", covering: target, PixelPool())
  }

  /// (width, height) of the picture, of the target, and of what is decoded.
  @Test(arguments: [
    ((64, 48), (64, 48), (64, 48)), ((64, 48), (33, 24), (64, 48)), ((64, 48), (32, 25), (64, 48)),
    ((64, 48), (32, 24), (32, 24)), ((64, 48), (17, 13), (32, 24)), ((64, 48), (16, 12), (16, 12)),
    ((64, 48), (8, 6), (8, 6)), ((64, 48), (1, 1), (8, 6)), ((67, 51), (33, 25), (34, 26)),
    ((67, 51), (8, 6), (9, 7)), ((64, 48), (100, 10), (64, 48)),
  ])
  func theSmallestThatCoversTheTargetIsDecoded(
    _ picture: (Int, Int), _ target: (Int, Int), _ decoded: (Int, Int)
  ) throws {
    let file = try jpeg(ImageSize(height: picture.1, width: picture.0)) { x, y in Double(x + y) }
    let image = try decode(file, covering: ImageSize(height: target.1, width: target.0))
    #expect(image.size == ImageSize(height: decoded.1, width: decoded.0))
    #expect(try decode(file, covering: nil).size == ImageSize(height: picture.1, width: picture.0))
  }

  @Test(arguments: [2, 4, 8]) func isNearlyTheMeanOfTheFullPixels(_ reduction: Int) throws {
    let size = ImageSize(height: 96, width: 128)
    let file = try jpeg(size, noise: 20) { x, y in 110 + 50 * sin(Double(x) / 9) + 40 * cos(Double(y) / 7) }
    let full = try decode(file, covering: nil)
    let reduced = try decode(file, covering: ImageSize(height: 96 / reduction, width: 128 / reduction))
    var difference = 0.0
    for index in 0..<reduced.height * reduced.width {
      let (y, x) = (index / reduced.width * reduction, index % reduced.width * reduction)
      let block = (0..<reduction * reduction).map { part in
        Double(full.pixels[((y + part / reduction) * full.width + x + part % reduction) * 3])
      }
      let mean = block.reduce(0, +) / Double(block.count)
      difference += abs(Double(reduced.pixels[index * 3]) - mean)
    }
    difference /= Double(reduced.height * reduced.width)
    #expect(difference < 1.5, "\(difference) grey levels")
  }

  /// A ramp over an odd width: the last of the reduced columns stands for one column of the picture only, and must not
  /// shift the others.
  @Test(arguments: [33, 35], [[], [PipelineStep.loadAsFloats]])
  func placesAreThoseOfTheFullPicture(_ width: Int, _ loading: [PipelineStep]) throws {
    let size = ImageSize(height: 33, width: width)
    let target = 16
    let file = try jpeg(size) { x, _ in 7 * Double(x) }
    let path = "\(folder)/ramp.jpg"
    try Data(file).write(to: URL(fileURLWithPath: path))
    let dataset = try TestData.dataset(sizes: [size], folder: folder) { _ in "ramp.jpg" }
    let step = PipelineStep.resize(
      scales: [ImageScale(width: target, height: target)], mode: .value, keepRatio: false, clipsBoxes: true)
    let (key, pool) = (DrawKey(seed: 0, epoch: 0), PixelPool())
    var samples: [Sample] = []
    for scalesDecode in [false, true] {
      let pipeline = try Pipeline(loading + [step], scalesDecode: scalesDecode)
      let picture = try dataset.picture(0, pipeline, key: key, pool)
      #expect(picture.width == (scalesDecode ? (width + 1) / 2 : width))
      samples.append(pipeline.apply(picture, dataset.images[0], key: key))
    }
    #expect(samples[0].geometry == samples[1].geometry && samples[0].boxes == samples[1].boxes)
    #expect(samples[0].geometry.scaleFactor.width == Float(16.0 / Double(width)) && samples[0].boxes.count == 1)
    for x in 1..<target - 1 {
      let place = (Double(x) + 0.5) * Double(width) / Double(target) - 0.5
      for sample in samples { #expect(abs(Double(sample.pixels[(7 * target + x) * 3]) - 7 * place) < 2.5) }
    }
  }

  /// The upright picture is 32 x 16: red, green above blue, white.
  @Test(arguments: 1...8) func orientationIsApplied(_ orientation: Int) throws {
    let file = Array(try Data(contentsOf: URL(fileURLWithPath: TestData.fixture("orientation_\(orientation).jpg"))))
    let image = try decode(file, covering: ImageSize(height: 8, width: 16))
    #expect(image.size == ImageSize(height: 8, width: 16))
    for (y, x, color) in [(2, 2, [0, 0, 255]), (2, 13, [0, 255, 0]), (6, 2, [255, 0, 0]), (6, 13, [255, 255, 255])] {
      for channel in 0..<3 { #expect(abs(Int(image.pixels[(y * 16 + x) * 3 + channel]) - color[channel]) < 8) }
    }
    // Wide enough, but not high enough.
    #expect(try decode(file, covering: ImageSize(height: 9, width: 16)).size == ImageSize(height: 16, width: 32))
  }

  @Test func theStatedSizeIsThatOfTheFile() throws {
    let dataset = try TestData.dataset(sizes: [ImageSize(height: 32, width: 48)], folder: TestData.fixture("")) { _ in
      "baseline.jpg"
    }
    let pipeline = try Pipeline(
      [.resize(scales: [ImageScale(width: 10, height: 10)], mode: .value, keepRatio: true, clipsBoxes: true)],
      scalesDecode: true)
    let error = #expect(throws: COCOError.self) {
      try dataset.picture(0, pipeline, key: DrawKey(seed: 0, epoch: 0), PixelPool())
    }
    #expect(
      error?.message == """
        the picture is 96 x 64 pixels upright, but the annotation file says 48 x 32 (0.50 times the picture's size: were \
        the pictures resized?)
        """)
  }

  @Test(arguments: ["baseline.jpg", "progressive.jpg", "cmyk.jpg", "orientation_6.jpg"])
  func aCutIsAnErrorOrWhole(_ name: String) throws {
    let file = Array(try Data(contentsOf: URL(fileURLWithPath: TestData.fixture(name))))
    let target = ImageSize(height: 4, width: 4)
    let whole = try decode(file, covering: target)
    for count in 0..<file.count {
      do {
        let image = try decode(Array(file[..<count]), covering: target)
        #expect(image == whole && count >= file.count - 16, "\(count) of \(file.count) bytes")
      } catch { #expect(error is COCOError) }
    }
  }
}
