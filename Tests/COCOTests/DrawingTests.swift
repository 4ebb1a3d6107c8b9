import COCO
import Foundation
import Primitives
import Testing

@Suite struct DrawingTests {
  private func black(_ size: ImageSize, _ order: ImageEncoder.ChannelOrder = .rgb) -> Drawing {
    Drawing(pixels: Array(repeating: 0, count: size.height * size.width * 3), size: size, order: order)
  }

  /// `#` where a pixel is not black.
  private func picture(_ drawing: Drawing) -> [String] {
    (0..<drawing.size.height).map { y in
      (0..<drawing.size.width).map { x in
        drawing.pixels[(y * drawing.size.width + x) * 3..<(y * drawing.size.width + x) * 3 + 3].contains { $0 > 0 }
          ? "#" : "."
      }.joined()
    }
  }

  @Test func frame() {
    var drawing = black(ImageSize(height: 8, width: 9))
    drawing.draw(DrawnBox(box: Box(1, 1.2, 8.4, 7), label: 0, caption: ""))
    #expect(
      picture(drawing) == [
        ".........", ".#######.", ".#######.", ".##...##.", ".##...##.", ".#######.", ".#######.", ".........",
      ])
  }

  /// The caption stands on the frame, in ink that can be read on the class's colour.
  @Test func caption() {
    var drawing = black(ImageSize(height: 30, width: 20))
    drawing.draw(DrawnBox(box: Box(0, 20, 20, 30), label: 0, caption: "i7"))
    let color = Drawing.color(ofLabel: 0)
    let letters = (9..<20).map { y in
      (0..<20).map { x in
        let pixel = (y * 20 + x) * 3
        return Array(drawing.pixels[pixel..<pixel + 3]) == [color.red, color.green, color.blue] ? "." : "#"
      }.joined()
    }
    #expect(
      letters == [
        "...............#####",
        "...............#####",
        "....#...#####..#####",
        "............#..#####",
        "...##......#...#####",
        "....#.....#....#####",
        "....#....#.....#####",
        "....#....#.....#####",
        "...###...#.....#####",
        "...............#####",
        "...............#####",
      ])
  }

  @Test(arguments: [
    Box(-50, -50, 500, 500), Box(3, 3, 3, 3), Box(-9, -9, -1, -1), Box(.nan, 0, .infinity, 5), Box(9, 9, 2, 2),
  ])
  func anywhere(box: Box) {
    var drawing = black(ImageSize(height: 20, width: 30))
    drawing.draw(DrawnBox(box: box, label: 79, caption: "naïve 1.00"))
    let color = Drawing.color(ofLabel: 79)
    let allowed: Set = [[0, 0, 0], [255, 255, 255], [color.red, color.green, color.blue]]
    let count = drawing.pixels.count
    #expect(count == 1800)
    #expect(stride(from: 0, to: count, by: 3).allSatisfy { allowed.contains(Array(drawing.pixels[$0..<$0 + 3])) })
  }

  @Test func colors() {
    let colors = (0..<20).map { Drawing.color(ofLabel: $0) }
    for (i, a) in colors.enumerated() {
      for b in colors[..<i] {
        let difference =
          abs(Int(a.red) - Int(b.red)) + abs(Int(a.green) - Int(b.green)) + abs(Int(a.blue) - Int(b.blue))
        #expect(difference > 20)
      }
    }
  }

  @Test func channelOrder() {
    var (rgb, bgr) = (black(ImageSize(height: 4, width: 4)), black(ImageSize(height: 4, width: 4), .bgr))
    rgb.draw(DrawnBox(box: Box(0, 0, 4, 4), label: 0, caption: ""))
    bgr.draw(DrawnBox(box: Box(0, 0, 4, 4), label: 0, caption: ""))
    let color = Drawing.color(ofLabel: 0)
    #expect(Array(rgb.pixels[0..<3]) == [color.red, color.green, color.blue])
    #expect(Array(bgr.pixels[0..<3]) == [color.blue, color.green, color.red])
  }
}
