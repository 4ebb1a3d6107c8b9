import COCO
import Foundation
import Primitives
import Testing

/// The fixtures were made with Pillow; the pixels of the PNG files are `[x·30 + y, y·40 + x, 255 - x·20 - y·5]` (RGB).
@Suite struct ImageDecoderTests {
  private func decode(_ name: String) throws -> DecodedImage { try ImageDecoder.decode(TestData.fixture(name)) }

  private func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: TestData.fixture(name))))
  }

  private func picture(_ pixel: (_ x: Int, _ y: Int) -> [Int]) -> DecodedImage {
    let pixels = (0..<5).flatMap { y in (0..<7).flatMap { x in pixel(x, y).map { UInt8(truncatingIfNeeded: $0) } } }
    return DecodedImage(height: 5, width: 7, pixels: pixels)
  }

  @Test(arguments: ["rgb.png", "rgba.png", "gamma.png"])
  func pngColorsAreTakenAsTheyAre(_ name: String) throws {
    #expect(try decode(name) == picture { x, y in [255 - x * 20 - y * 5, y * 40 + x, x * 30 + y] })
  }

  @Test func greyIsRepeated() throws {
    #expect(try decode("gray.png") == picture { x, y in [Int](repeating: x * 30 + y, count: 3) })
  }

  /// The file's values are (x·30 + y)·256 + 17.
  @Test func sixteenBitsAreScaledToEight() throws {
    #expect(
      try decode("gray16.png")
        == picture { x, y in
          let value = (x * 30 + y) * 256 + 17
          return [Int](repeating: (value * 255 + 32767) / 65535, count: 3)
        })
  }

  @Test func paletteColorsIgnoreTransparency() throws {
    let colors = [[30, 20, 10], [50, 100, 200], [0, 255, 0], [9, 8, 7]]
    #expect(try decode("palette.png") == picture { x, y in colors[(x + y) % 4] })
  }

  /// The upright picture is 32 x 16: red, green above blue, white.
  @Test(arguments: 1...8) func exifOrientationIsApplied(_ orientation: Int) throws {
    let image = try decode("orientation_\(orientation).jpg")
    #expect(image.size == ImageSize(height: 16, width: 32))
    let expected: [(x: Int, y: Int, blueGreenRed: [Int])] = [
      (4, 4, [0, 0, 255]), (27, 4, [0, 255, 0]), (4, 12, [255, 0, 0]), (27, 12, [255, 255, 255]),
    ]
    for corner in expected {
      for channel in 0..<3 {
        let value = Int(image.pixels[(corner.y * 32 + corner.x) * 3 + channel])
        #expect(abs(value - corner.blueGreenRed[channel]) < 8)
      }
    }
  }

  @Test func greyAndCMYKPicturesBecomeColorOnes() throws {
    #expect(try decode("gray.jpg").pixels.allSatisfy { abs(Int($0) - 77) <= 1 })
    let cmyk = try decode("cmyk.jpg").pixels
    for (channel, expected) in [50, 100, 200].enumerated() { #expect(abs(Int(cmyk[channel]) - expected) <= 4) }
  }

  /// The hash is that of OpenCV's pixels.
  @Test(arguments: ["baseline.jpg", "progressive.jpg"])
  func jpegPixelsAreThoseOfOpenCV(_ name: String) throws {
    #expect(TestData.hash(try decode(name).pixels) == 0x053e_7f6a_9874_a63b)
  }

  @Test(
    arguments: ["baseline.jpg", "progressive.jpg", "orientation_6.jpg", "rgb.png", "palette.png"]
      + ["rgb.webp", "lossy.webp", "animated.webp", "tiled.tif", "planar.tif", "rgb.bmp", "runs8.bmp", "runs4.bmp"]
      + ["interlaced.gif", "inner.gif"])
  func everyCutIsAnErrorOrWhole(_ name: String) throws {
    let file = try bytes(name)
    let whole = try ImageDecoder.decode(file, path: name)
    for count in 0..<file.count {
      do {
        let image = try ImageDecoder.decode(Array(file[..<count]), path: name)
        #expect(image == whole && count >= file.count - 16, "\(count) of \(file.count) bytes")
      } catch { #expect(error is COCOError) }
    }
    let half = #expect(throws: COCOError.self) {
      try ImageDecoder.decode(Array(file[..<(file.count * 3 / 4)]), path: "h")
    }
    #expect(half?.description == "h: error: the picture is cut short: the file ends before its data does")
  }

  @Test(
    arguments: ["baseline.jpg", "progressive.jpg", "cmyk.jpg", "orientation_6.jpg", "rgba.png", "palette.png"]
      + ["lossy.webp", "rgba.webp", "animated.webp", "tiled.tif", "planar.tif", "palette.tif", "rgba.tif", "rgb16.tif"]
      + ["rgb.bmp", "masks.bmp", "palette1.bmp", "runs8.bmp", "runs4.bmp", "interlaced.gif", "inner.gif"])
  func noDamageCrashes(_ name: String) throws {
    let file = try bytes(name)
    var random = KeyedRandom(seed: 2, purpose: .test)
    for _ in 0..<500 {
      var damaged = file
      for _ in 0...random.below(4) { damaged[random.below(file.count)] = UInt8(random.below(256)) }
      do { _ = try ImageDecoder.decode(damaged, path: name) } catch { #expect(error is COCOError) }
    }
  }

  @Test(arguments: [
    ("", "is an empty file; a picture (JPEG, PNG, WebP, TIFF, BMP or GIF) is expected"),
    ("<!DOCTYPE html><p>404", "is an HTML page; a picture (JPEG, PNG, WebP, TIFF, BMP or GIF) is expected"),
    (
      "version https://git-lfs.github.com/spec/v1\noid",
      "is a git-lfs pointer (run 'git lfs pull'); a picture (JPEG, PNG, WebP, TIFF, BMP or GIF) is expected"
    ),
    ("hello", "is text; a picture (JPEG, PNG, WebP, TIFF, BMP or GIF) is expected"),
    ("\0\0\0\u{c}jP  \r\n", "is a JPEG 2000 picture; convert it to JPEG or PNG"),
    (
      "\0\0\0\u{18}ftypheic\0\0\0\0mif1heic",
      "is a HEIC picture; convert it to JPEG or PNG, for example by heif-convert (of libheif) or ImageMagick"
    ),
    (
      "\0\0\0\u{18}ftypmif1\0\0\0\0mif1avif",
      "is an AVIF picture; convert it to JPEG or PNG, for example by heif-convert (of libheif) or ImageMagick"
    ),
    (
      "\0\0\0\u{14}ftypisom\0\0\0\0mp42",
      "is a video (MP4 or QuickTime); a picture (JPEG, PNG, WebP, TIFF, BMP or GIF) is expected"
    ),
  ])
  func saysWhatAFileIs(_ text: String, _ message: String) {
    let error = #expect(throws: COCOError.self) { try ImageDecoder.decode(Array(text.utf8), path: "x.jpg") }
    #expect(error == COCOError(at: "x.jpg", message))
  }

  private static let refusal =
    "pixels are refused: cut large pictures into tiles, or raise mpi.max_picture_pixels (a pixel takes 3 bytes and more "
    + "while it is read)"

  /// Width and height as they stand in the file.
  @Test(arguments: [
    ("rgb.png", 16, [0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]), ("rgb.bmp", 18, [0x60, 0xea, 0, 0, 0x60, 0xea, 0, 0]),
    ("plain.gif", 6, [0x60, 0xea, 0x60, 0xea]), ("animated.webp", 24, [0x5f, 0xea, 0, 0x5f, 0xea, 0]),
  ])
  func refusesHugePicturesFromTheirHeader(_ name: String, _ place: Int, _ size: [UInt8]) throws {
    var file = try bytes(name)
    file.replaceSubrange(place..<place + size.count, with: size)
    let error = #expect(throws: COCOError.self) { try ImageDecoder.decode(file, path: "x") }
    #expect(error?.message == "the picture's header states 60000 x 60000; more than 134217728 \(Self.refusal)")
  }

  @Test(arguments: ["rgb.png", "rgb.bmp", "plain.gif", "rgb.webp", "rgb.tif"])
  func theRulesSayHowLargeAPictureMayBe(_ name: String) throws {
    var rules = PictureRules()
    rules.maximumPixels = 34
    let small = #expect(throws: COCOError.self) {
      try ImageDecoder.decode(TestData.fixture(name), rules: rules)
    }
    #expect(small?.message == "the picture's header states 7 x 5; more than 34 \(Self.refusal)")
    rules.maximumPixels = 35
    #expect(try ImageDecoder.decode(TestData.fixture(name), rules: rules).size.width == 7)
  }

  @Test(arguments: 1...8) func exifOrientationIsIgnoredWhereTheRulesSaySo(_ orientation: Int) throws {
    var rules = PictureRules()
    rules.exif = .ignore
    let upright = try decode("orientation_\(orientation).jpg")
    let stored = try ImageDecoder.decode(TestData.fixture("orientation_\(orientation).jpg"), rules: rules)
    #expect((stored == upright) == (orientation == 1))
    #expect((stored.size == upright.size) == (orientation < 5))
  }

  @Test func aSizeThatDisagreesNamesBoth() {
    let path = TestData.fixture("orientation_6.jpg")
    let error = #expect(throws: COCOError.self) {
      try ImageDecoder.decode(path, expectedSize: ImageSize(height: 32, width: 16))
    }
    #expect(
      error?.message
        == "the picture is 32 x 16 pixels upright, but the annotation file says 16 x 32 (its size before an EXIF rotation? "
        + "mpi.exif: ignore takes pictures as they are stored)")
  }

  @Test func foldersAndMissingFilesAreNamed() {
    let folder = #expect(throws: COCOError.self) { try ImageDecoder.decode(TestData.fixture("")) }
    #expect(folder?.message == "is a folder, not a file")
    let missing = #expect(throws: COCOError.self) { try ImageDecoder.decode("/nowhere/x.jpg") }
    #expect(missing?.kind == .inputMissing)
    let device = #expect(throws: COCOError.self) { try ImageDecoder.decode("/dev/zero") }
    #expect(device?.message == "is not a regular file")
  }
}
