import COCO
import Foundation
import Primitives
import Testing

@Suite struct ImageEncoderTests {
  private let directory = FileManager.default.temporaryDirectory.path + "/images-\(UUID().uuidString)"
  private let size = ImageSize(height: 7, width: 17)

  init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

  private var pixels: [UInt8] {
    var random = KeyedRandom(seed: 1, purpose: .test)
    return (0..<size.height * size.width * 3).map { _ in UInt8(random.below(256)) }
  }

  private func swapped(_ pixels: [UInt8]) -> [UInt8] {
    var result = pixels
    for i in stride(from: 0, to: pixels.count, by: 3) { result.swapAt(i, i + 2) }
    return result
  }

  private func written(_ name: String, _ pixels: [UInt8], _ order: ImageEncoder.ChannelOrder) throws -> [UInt8] {
    try ImageEncoder.write(pixels, size, order, to: "\(directory)/\(name)")
    return Array(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)")))
  }

  @Test func png() throws {
    let bytes = try written("a.png", pixels, .rgb)
    #expect(Array(bytes[0..<8]) == [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    #expect(Array(bytes[16..<26]) == [0, 0, 0, 17, 0, 0, 0, 7, 8, 2])
    #expect(Array(bytes.suffix(8).prefix(4)) == Array("IEND".utf8))
    #expect(try ImageDecoder.decode(bytes, path: "a.png").pixels == swapped(pixels))
    #expect(try written("b.PNG", swapped(pixels), .bgr) == bytes)
    #expect(try written("c.png", pixels, .bgr) != bytes)
  }

  @Test func jpeg() throws {
    let bytes = try written("a.jpg", pixels, .rgb)
    #expect(Array(bytes.prefix(2)) == [0xff, 0xd8] && Array(bytes.suffix(2)) == [0xff, 0xd9])
    let frame = bytes.indices.first { bytes[$0] == 0xff && bytes[$0 + 1] == 0xc0 }!
    #expect(Array(bytes[frame + 4..<frame + 12]) == [8, 0, 7, 0, 17, 3, 1, 0x22])
    #expect(try written("b.jpeg", swapped(pixels), .bgr) == bytes)
    #expect(try written("c.jpg", pixels, .bgr) != bytes)
  }

  /// With a colour for each pixel a line of one pixel keeps its own.
  @Test func fullChroma() throws {
    var line = [UInt8](repeating: 0, count: pixels.count)
    for y in 0..<size.height { line[(y * size.width + 8) * 3] = 255 }
    func red(_ chroma: ImageEncoder.Chroma) throws -> Int {
      let path = "\(directory)/line.jpg"
      try ImageEncoder.write(line, size, .rgb, to: path, jpegQuality: 95, chroma: chroma)
      return Int(try ImageDecoder.decode(path).pixels[8 * 3 + 2])
    }
    #expect(try red(.full) > 240)
    #expect(try red(.halved) < 200)
  }

  /// A picture that does not compress is larger than its pixels, and whole.
  @Test(arguments: [1, 8, 33, 300]) func incompressible(side: Int) throws {
    var random = KeyedRandom(seed: 2, purpose: .test)
    let pixels = (0..<side * side * 3).map { _ in UInt8(random.below(256)) }
    let path = "\(directory)/noise.png"
    try ImageEncoder.write(pixels, ImageSize(height: side, width: side), .rgb, to: path)
    #expect(try ImageDecoder.decode(path).pixels == swapped(pixels))
  }

  @Test func errors() {
    let gif = "\(directory)/a.gif"
    let ending = #expect(throws: OutputError.self) { try ImageEncoder.write(pixels, size, .rgb, to: gif) }
    #expect(
      ending?.description
        == "\(gif): error: the file cannot be written: '.gif' is not a kind of picture known here; use .jpg or .png")
    let nowhere = "\(directory)/none/a.png"
    let missing = #expect(throws: OutputError.self) { try ImageEncoder.write(pixels, size, .rgb, to: nowhere) }
    #expect(missing?.description == "\(nowhere): error: the file cannot be written: No such file or directory")
  }
}
