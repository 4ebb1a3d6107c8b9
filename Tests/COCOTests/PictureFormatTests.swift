import COCO
import Foundation
import Primitives
import Testing

/// Formats besides JPEG and PNG. The fixtures were made with Pillow, tifffile and by hand, after the formats'
/// descriptions; their pixels are `[x·30 + y, y·40 + x, 255 - x·20 - y·5]` (RGB), or the four colours of `palette`, number
/// (x + y) mod 4. What is expected is what OpenCV 5.0 makes of them, but where it is said.
@Suite struct PictureFormatTests {
  private func decode(_ name: String) throws -> DecodedImage { try ImageDecoder.decode(TestData.fixture(name)) }

  private func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: TestData.fixture(name))))
  }

  private static func color(_ x: Int, _ y: Int) -> [Int] { [x * 30 + y, y * 40 + x, 255 - x * 20 - y * 5] }

  private static let palette = [[10, 20, 30], [200, 100, 50], [0, 255, 0], [7, 8, 9]]

  /// A picture of 7 x 5 from its colours in RGB.
  private func picture(_ color: (_ x: Int, _ y: Int) -> [Int]) -> DecodedImage {
    let pixels = (0..<5).flatMap { y in (0..<7).flatMap { x in color(x, y).reversed().map(UInt8.init) } }
    return DecodedImage(height: 5, width: 7, pixels: pixels)
  }

  @Test(arguments: [
    "rgb.webp", "rgba.webp", "rgb.tif", "tile.tif", "tiled.tif", "planar.tif", "rgb.bmp", "topdown.bmp", "rgbx.bmp",
    "masks.bmp",
  ])
  func colorsAreTakenAsTheyAre(_ name: String) throws {
    #expect(try decode(name) == picture(Self.color))
  }

  @Test(arguments: [
    "palette.tif", "palette8.bmp", "palette4.bmp", "os2.bmp", "plain.gif", "interlaced.gif", "animated.gif",
  ])
  func indicesBecomeColors(_ name: String) throws {
    #expect(try decode(name) == picture { x, y in Self.palette[(x + y) % 4] })
  }

  @Test func oneBitIsAnIndex() throws {
    #expect(try decode("palette1.bmp") == picture { x, y in Self.palette[(x + y) % 2] })
  }

  // MARK: WebP

  @Test func lossyPixelsAreThoseOfOpenCV() throws {
    #expect(TestData.hash(try decode("lossy.webp").pixels) == 0x4200_034c_4eb1_89e1)
  }

  /// Stored a quarter turn to the left.
  @Test func exifOrientationIsApplied() throws {
    #expect(try decode("orientation_6.webp") == picture(Self.color))
  }

  /// Of 4 x 3 at (2, 2), with black around it.
  @Test func anAnimationIsItsFirstPicture() throws {
    #expect(
      try decode("animated.webp") == picture { x, y in (2..<6).contains(x) && y >= 2 ? Self.color(x, y) : [0, 0, 0] })
  }

  // MARK: TIFF

  /// The file's values are (x·30 + y)·256 + 17: libtiff takes the high byte of grey ones, and rounds coloured ones.
  @Test func sixteenBitsBecomeEight() throws {
    #expect(try decode("gray16.tif") == picture { x, y in [Int](repeating: x * 30 + y, count: 3) })
    let expected = picture { x, y in Self.color(x, y).map { ($0 * 256 + 200 + 128) / 257 } }
    #expect(try decode("rgb16.tif") == expected)
  }

  @Test func whiteMayBeZero() throws {
    #expect(try decode("white.tif") == picture { x, y in [Int](repeating: 255 - x * 30 - y, count: 3) })
  }

  /// Inks and, other than in PNG and WebP, an alpha that the colours are not yet multiplied with.
  @Test func inksAndAlphaAreAppliedByLibtiff() throws {
    #expect(try decode("cmyk.tif") == picture { x, y in Self.color(x, y).map { $0 * 235 / 255 } })
    #expect(try decode("rgba.tif") == picture { x, y in Self.color(x, y).map { ($0 * (x * 40 + y) + 127) / 255 } })
  }

  /// The tag's value is changed in the file. OpenCV refuses 5 to 8.
  @Test(arguments: 1...8) func tiffOrientationIsApplied(_ orientation: Int) throws {
    var file = try bytes("rgb.tif")
    let place = try #require(
      (0..<file.count - 12).first { file[$0..<$0 + 8].elementsEqual([0x12, 1, 3, 0, 1, 0, 0, 0]) })
    file[place + 8] = UInt8(orientation)
    let image = try ImageDecoder.decode(file, path: "a.tif")
    let isTurned = orientation >= 5
    #expect(image.size == (isTurned ? ImageSize(height: 7, width: 5) : ImageSize(height: 5, width: 7)))
    // Where the stored picture's first pixel and the one right of it come to stand.
    let (right, down) = (image.width - 1, image.height - 1)
    let places: [[(x: Int, y: Int)]] = [
      [(0, 0), (1, 0)], [(right, 0), (right - 1, 0)], [(right, down), (right - 1, down)], [(0, down), (1, down)],
      [(0, 0), (0, 1)], [(right, 0), (right, 1)], [(right, down), (right, down - 1)], [(0, down), (0, down - 1)],
    ]
    for (x, place) in places[orientation - 1].enumerated() {
      let pixel = image.pixels[(place.y * image.width + place.x) * 3..<(place.y * image.width + place.x) * 3 + 3]
      #expect(pixel.reversed().map(Int.init) == Self.color(x, 0))
    }
  }

  @Test(arguments: [("float.tif", "floating-point numbers"), ("signed.tif", "signed numbers")])
  func otherNumbersAreRefused(_ name: String, _ what: String) {
    let error = #expect(throws: COCOError.self) { try decode(name) }
    #expect(error?.message == "the TIFF picture holds \(what); convert it to 8 bits a channel")
  }

  // MARK: BMP

  /// Channels of 5 and 6 bits have zeros below.
  @Test func fewerBitsAreTheHighOnes() throws {
    #expect(try decode("555.bmp") == picture { x, y in Self.color(x, y).map { $0 & 0xf8 } })
    let masks = [0xf8, 0xfc, 0xf8]
    #expect(try decode("565.bmp") == picture { x, y in zip(Self.color(x, y), masks).map { $0 & $1 } })
  }

  /// From the bottom: a run for each pixel; a stretch without runs; a step over two pixels and a row; a run of five;
  /// a run of three, and the end. What is left out has the first colour.
  @Test func runsAreExpanded() throws {
    let rows = [
      [1, 1, 1, 0, 0, 0, 0], [0, 0, 3, 3, 3, 3, 3], [Int](repeating: 0, count: 7), [3, 0, 1, 2, 3, 0, 1],
      [0, 1, 2, 3, 0, 1, 2],
    ]
    #expect(try decode("runs8.bmp") == picture { x, y in Self.palette[rows[y][x]] })
    // With 4 bits a run has two indices in turn.
    let alternating = rows.map { $0 == rows[1] ? [0, 0, 3, 1, 3, 1, 3] : $0 }
    #expect(try decode("runs4.bmp") == picture { x, y in Self.palette[alternating[y][x]] })
  }

  @Test func otherKindsAreNamed() throws {
    var file = try bytes("rgb.bmp")
    file[30] = 4
    let error = #expect(throws: COCOError.self) { try ImageDecoder.decode(file, path: "a.bmp") }
    #expect(
      error?.message == "this kind of BMP (24 bits a pixel, compression 4) is not read; convert it to JPEG or PNG")
  }

  // MARK: GIF

  /// Of 4 x 3 at (2, 1), number 2 transparent: the background's colour, number 3, stands there and around.
  @Test func transparentPixelsHaveTheBackgroundsColor() throws {
    #expect(
      try decode("inner.gif")
        == picture { x, y in
          let (innerX, innerY) = (x - 2, y - 1)
          guard (0..<4).contains(innerX), (0..<3).contains(innerY) else { return Self.palette[3] }
          let index = (innerX + innerY) % 4
          return Self.palette[index == 2 ? 3 : index]
        })
  }
}
