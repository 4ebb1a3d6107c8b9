import Foundation
import Primitives

/// An object as it is drawn: the box in pixels of the picture.
public struct DrawnBox: Sendable {
  public enum Style: Sendable {
    /// A line in the colour of the class, and a caption on that colour.
    case detection
    /// White dashes, and a caption in the colour of the class on black, below the box where there is room.
    case groundTruth
  }

  public var box: Box
  /// The class, for the colour: the category id, which stays the same in whatever order classes are listed. nil: grey.
  public var category: Int64?
  /// What the object is, which may be cut where the picture is small.
  public var name: String
  /// What stands behind the name, for example `0.98`.
  public var detail: String
  public var style: Style

  /// Characters outside printable ASCII become question marks (see `ClassCaptions`).
  public init(box: Box, category: Int64?, name: String, detail: String = "", style: Style = .detection) {
    (self.box, self.category, self.name, self.detail, self.style) = (box, category, name, detail, style)
  }
}

/// Draws boxes with captions on a picture (8-bit, height × width × 3, in the channel order given). Lines and letters
/// grow with the picture, and have an edge of another brightness, so that they are seen on any ground.
public struct Drawing {
  public typealias Color = (red: UInt8, green: UInt8, blue: UInt8)

  public private(set) var pixels: [UInt8]
  public let size: ImageSize
  private let order: ImageEncoder.ChannelOrder
  /// How many pixels a cell of a letter has.
  private let cell: Int
  /// The width of a line, without the dark edges on both sides of it.
  private let line: Int
  private let edge: Int

  public init(pixels: [UInt8], size: ImageSize, order: ImageEncoder.ChannelOrder) {
    require(pixels.count == size.height * size.width * 3, "the pixels do not fill \(size)")
    (self.pixels, self.size, self.order) = (pixels, size, order)
    let longest = max(size.height, size.width)
    cell = max(1, Int((Double(longest) / 640).rounded()))
    line = max(longest < 256 ? 1 : 2, Int((Double(longest) / 400).rounded()))
    edge = max(1, line / 3)
  }

  /// Red, green and blue of a class: hues the golden ratio apart, so that neighbouring ids differ; none of them dark.
  public static func color(ofCategory id: Int64) -> Color {
    let hue = 6 * (Double(id.magnitude % 1_000_003) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1)
    func channel(_ offset: Double) -> Double {
      let distance = abs((hue + offset).truncatingRemainder(dividingBy: 6) - 3)
      return 40 + 215 * min(max(distance - 1, 0), 1)
    }
    let pure = (red: channel(0), green: channel(4), blue: channel(2))
    let dark = 0.299 * pure.red + 0.587 * pure.green + 0.114 * pure.blue
    let white = max(0, (110 - dark) / (255 - dark))
    func lightened(_ value: Double) -> UInt8 { UInt8(value + white * (255 - value)) }
    return (lightened(pure.red), lightened(pure.green), lightened(pure.blue))
  }

  private static let (black, white, grey): (Color, Color, Color) = ((0, 0, 0), (255, 255, 255), (160, 160, 160))

  private func color(_ drawn: DrawnBox) -> Color { drawn.category.map(Self.color) ?? Self.grey }

  /// Draws boxes, the most important first: its frame lies over the others', and its caption has the first choice of
  /// places. Ground truth lies over detections, whose lines are seen between its dashes; captions lie over all frames.
  /// What lies outside of the picture is cut off.
  public mutating func draw(_ boxes: [DrawnBox]) {
    let frames = frames(of: boxes)
    for (drawn, frame) in zip(boxes, frames).reversed() where drawn.style == .detection {
      fillRing(frame.inset(by: -edge), line + 2 * edge, Self.black)
      fillRing(frame, line, color(drawn))
    }
    for (drawn, frame) in zip(boxes, frames).reversed() where drawn.style == .groundTruth { fillDashes(frame) }
    var placement = CaptionPlacement(picture: size, frames: frames, line: line + edge)
    let captions = boxes.indices.compactMap { index -> (text: String, place: PixelRectangle, index: Int)? in
      let text = caption(of: boxes[index])
      guard !text.isEmpty else { return nil }
      let place = placement.place(
        width: width(of: text), height: (DrawingFont.height + 4) * cell + 2 * edge, frame: index,
        standsBelow: boxes[index].style == .groundTruth)
      return (text, place, index)
    }
    for caption in captions { drawLeader(from: caption.place, to: frames[caption.index], color(boxes[caption.index])) }
    for caption in captions {
      draw(caption.text, at: caption.place, color(boxes[caption.index]), boxes[caption.index].style)
    }
  }

  /// Of detections in the same place the less important ones move inwards, so that none is hidden.
  private func frames(of boxes: [DrawnBox]) -> [PixelRectangle] {
    let frames = boxes.map { PixelRectangle($0.box, in: size) }
    return frames.enumerated().map { index, frame in
      guard boxes[index].style == .detection else { return frame }
      let twins = (0..<index).count { boxes[$0].style == .detection && frames[$0].isWithin(line, of: frame) }
      let inner = frame.inset(by: min(twins, 3) * (line + edge))
      return min(inner.width, inner.height) > 2 * line ? inner : frame
    }
  }

  // MARK: Captions

  /// As much as fits into the picture: the name is cut first.
  private func caption(of drawn: DrawnBox) -> String {
    let room = max(1, (size.width - 2 * edge - 3 * cell) / ((DrawingFont.width + 1) * cell))
    let whole = [drawn.name, drawn.detail].filter { !$0.isEmpty }.joined(separator: " ")
    guard whole.count > room else { return whole }
    let cut = drawn.name.prefix(max(0, room - drawn.detail.count - 1))
    return cut.isEmpty ? String(drawn.name.prefix(room)) : "\(cut) \(drawn.detail)"
  }

  /// A line between a caption and its frame, where it stands above or below and doesn't touch it.
  private mutating func drawLeader(from place: PixelRectangle, to frame: PixelRectangle, _ color: Color) {
    let gap =
      place.y.upperBound < frame.y.lowerBound
      ? place.y.upperBound..<frame.y.lowerBound : frame.y.upperBound..<max(frame.y.upperBound, place.y.lowerBound)
    let left = max(frame.x.lowerBound, place.x.lowerBound)
    guard !gap.isEmpty, left < min(frame.x.upperBound, place.x.upperBound) else { return }
    fill(PixelRectangle(x: left - edge..<left + line + edge, y: gap), Self.black)
    fill(PixelRectangle(x: left..<left + line, y: gap), color)
  }

  private func width(of text: String) -> Int { (text.count * (DrawingFont.width + 1) + 3) * cell + 2 * edge }

  private mutating func draw(_ text: String, at place: PixelRectangle, _ color: Color, _ style: DrawnBox.Style) {
    let bright = 299 * Int(color.red) + 587 * Int(color.green) + 114 * Int(color.blue) > 128_000
    let (ground, ink) =
      style == .detection ? (color, bright ? Self.black : Self.white) : (Self.black, color)
    fill(place, style == .detection ? Self.black : Self.white)
    fill(place.inset(by: edge), ground)
    let (left, top) = (place.x.lowerBound + edge + 2 * cell, place.y.lowerBound + edge + 2 * cell)
    for (index, character) in text.enumerated() {
      draw(character, x: left + index * (DrawingFont.width + 1) * cell, y: top, ink)
    }
  }

  private mutating func draw(_ character: Character, x: Int, y: Int, _ ink: Color) {
    for row in 0..<DrawingFont.height {
      for column in 0..<DrawingFont.width where DrawingFont.isSet(character, column: column, row: row) {
        let (left, top) = (x + column * cell, y + row * cell)
        fill(PixelRectangle(x: left..<left + cell, y: top..<top + cell), ink)
      }
    }
  }

  // MARK: Lines

  /// The outermost pixels of a rectangle.
  private mutating func fillRing(_ outer: PixelRectangle, _ width: Int, _ color: Color) {
    let inner = outer.inset(by: width)
    guard inner.area > 0 else { return fill(outer, color) }
    fill(PixelRectangle(x: outer.x, y: outer.y.lowerBound..<inner.y.lowerBound), color)
    fill(PixelRectangle(x: outer.x, y: inner.y.upperBound..<outer.y.upperBound), color)
    fill(PixelRectangle(x: outer.x.lowerBound..<inner.x.lowerBound, y: inner.y), color)
    fill(PixelRectangle(x: inner.x.upperBound..<outer.x.upperBound, y: inner.y), color)
  }

  private mutating func fillDashes(_ frame: PixelRectangle) {
    let length = 4 * (line + edge)
    func pieces(_ range: Range<Int>) -> [Range<Int>] {
      stride(from: range.lowerBound, to: range.upperBound, by: 2 * length).map {
        $0..<min($0 + length, range.upperBound)
      }
    }
    func strip(_ start: Int) -> Range<Int> { start..<start + line }
    let (top, bottom) = (strip(frame.y.lowerBound), strip(max(frame.y.lowerBound, frame.y.upperBound - line)))
    let (left, right) = (strip(frame.x.lowerBound), strip(max(frame.x.lowerBound, frame.x.upperBound - line)))
    let dashes =
      pieces(frame.x).flatMap { [PixelRectangle(x: $0, y: top), PixelRectangle(x: $0, y: bottom)] }
      + pieces(frame.y).flatMap { [PixelRectangle(x: left, y: $0), PixelRectangle(x: right, y: $0)] }
    for dash in dashes { fill(dash.inset(by: -edge), Self.black) }
    for dash in dashes { fill(dash, Self.white) }
  }

  private mutating func fill(_ rectangle: PixelRectangle, _ color: Color) {
    let bytes = order == .rgb ? [color.red, color.green, color.blue] : [color.blue, color.green, color.red]
    let columns = rectangle.x.clamped(to: 0..<size.width)
    for y in rectangle.y.clamped(to: 0..<size.height) {
      for x in columns {
        for channel in 0..<3 { pixels[(y * size.width + x) * 3 + channel] = bytes[channel] }
      }
    }
  }
}
