import Foundation
import Primitives

/// A detection as it is drawn: the box in pixels of the picture.
public struct DrawnBox: Sendable {
  public var box: Box
  /// The class, for the colour.
  public var label: Int
  /// For example `person 0.98`; characters outside ASCII become question marks.
  public var caption: String

  public init(box: Box, label: Int, caption: String) {
    (self.box, self.label, self.caption) = (box, label, caption)
  }
}

/// Draws boxes with captions on a picture (8-bit, height × width × 3, in the channel order given).
public struct Drawing {
  public private(set) var pixels: [UInt8]
  public let size: ImageSize
  private let order: ImageEncoder.ChannelOrder

  public init(pixels: [UInt8], size: ImageSize, order: ImageEncoder.ChannelOrder) {
    require(pixels.count == size.height * size.width * 3, "the pixels do not fill \(size)")
    (self.pixels, self.size, self.order) = (pixels, size, order)
  }

  /// Red, green and blue of a class: hues the golden ratio apart, so that neighbouring labels differ.
  public static func color(ofLabel label: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
    let hue = 6 * (Double(label) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1)
    func channel(_ offset: Double) -> UInt8 {
      let distance = abs((hue + offset).truncatingRemainder(dividingBy: 6) - 3)
      return UInt8(40 + 215 * min(max(distance - 1, 0), 1))
    }
    return (channel(0), channel(4), channel(2))
  }

  /// The frame, two pixels wide (three in a large picture), and the caption on its upper edge, or inside where the
  /// picture ends. What lies outside of the picture is cut off.
  public mutating func draw(_ drawn: DrawnBox) {
    let color = Self.color(ofLabel: drawn.label)
    let line = max(size.height, size.width) > 1000 ? 3 : 2
    let (x1, y1) = (pixel(drawn.box.x1, size.width), pixel(drawn.box.y1, size.height))
    let (x2, y2) = (pixel(drawn.box.x2, size.width), pixel(drawn.box.y2, size.height))
    fill(x1..<max(x1, x2), y1..<y1 + line, color)
    fill(x1..<max(x1, x2), y2 - line..<y2, color)
    fill(x1..<x1 + line, y1..<max(y1, y2), color)
    fill(x2 - line..<x2, y1..<max(y1, y2), color)
    drawCaption(drawn.caption, x: x1, y: y1, color)
  }

  /// The nearest pixel border, within the picture.
  private func pixel(_ coordinate: Float, _ length: Int) -> Int {
    coordinate.isNaN ? 0 : Int(min(max(coordinate, 0), Float(length)).rounded())
  }

  private mutating func drawCaption(_ text: String, x: Int, y: Int, _ color: (red: UInt8, green: UInt8, blue: UInt8)) {
    guard !text.isEmpty else { return }
    let scale = max(size.height, size.width) > 1000 ? 2 : 1
    let width = (text.count * (DrawingFont.width + 1) + 3) * scale
    let height = (DrawingFont.height + 4) * scale
    let left = max(0, min(x, size.width - width))
    let top = y >= height ? y - height : y
    fill(left..<left + width, top..<top + height, color)
    let bright = 299 * Int(color.red) + 587 * Int(color.green) + 114 * Int(color.blue) > 128_000
    let ink: (UInt8, UInt8, UInt8) = bright ? (0, 0, 0) : (255, 255, 255)
    for (index, character) in text.enumerated() {
      let start = left + (2 + index * (DrawingFont.width + 1)) * scale
      draw(character, x: start, y: top + 2 * scale, scale, ink)
    }
  }

  private mutating func draw(_ character: Character, x: Int, y: Int, _ scale: Int, _ ink: (UInt8, UInt8, UInt8)) {
    for row in 0..<DrawingFont.height {
      for column in 0..<DrawingFont.width where DrawingFont.isSet(character, column: column, row: row) {
        let (left, top) = (x + column * scale, y + row * scale)
        fill(left..<left + scale, top..<top + scale, ink)
      }
    }
  }

  private mutating func fill(
    _ columns: Range<Int>, _ rows: Range<Int>, _ color: (red: UInt8, green: UInt8, blue: UInt8)
  ) {
    let bytes = order == .rgb ? [color.red, color.green, color.blue] : [color.blue, color.green, color.red]
    for y in rows.clamped(to: 0..<size.height) {
      for x in columns.clamped(to: 0..<size.width) {
        for channel in 0..<3 { pixels[(y * size.width + x) * 3 + channel] = bytes[channel] }
      }
    }
  }
}
