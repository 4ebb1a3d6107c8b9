import COCO
import Foundation
import Primitives
import Testing

@Suite struct DrawingTests {
  private func ground(
    _ width: Int, _ height: Int, _ order: ImageEncoder.ChannelOrder = .rgb, value: UInt8 = 128
  ) -> Drawing {
    let size = ImageSize(height: height, width: width)
    return Drawing(pixels: Array(repeating: value, count: height * width * 3), size: size, order: order)
  }

  private func box(
    _ box: Box, _ category: Int64? = 0, _ name: String = "", _ detail: String = "",
    style: DrawnBox.Style = .detection
  ) -> DrawnBox {
    DrawnBox(box: box, category: category, name: name, detail: detail, style: style)
  }

  private func pixel(_ drawing: Drawing, _ x: Int, _ y: Int) -> [UInt8] {
    Array(drawing.pixels[(y * drawing.size.width + x) * 3..<(y * drawing.size.width + x) * 3 + 3])
  }

  private func bytes(_ color: Drawing.Color) -> [UInt8] { [color.red, color.green, color.blue] }

  /// `#` the colour of category 0, `w` white, `k` black, `.` the ground.
  private func picture(_ drawing: Drawing) -> [String] {
    let color = bytes(Drawing.color(ofCategory: 0))
    let letters = [color: "#", [255, 255, 255]: "w", [0, 0, 0]: "k", [128, 128, 128]: "."]
    return (0..<drawing.size.height).map { y in
      (0..<drawing.size.width).map { letters[pixel(drawing, $0, y)] ?? "?" }.joined()
    }
  }

  /// The line lies in the box, between dark edges.
  @Test func frame() {
    var drawing = ground(11, 9)
    drawing.draw([box(Box(2, 2.2, 8.4, 7))])
    #expect(
      picture(drawing) == [
        "...........", ".kkkkkkkk..", ".k######k..", ".k#kkkk#k..", ".k#k..k#k..", ".k#kkkk#k..", ".k######k..",
        ".kkkkkkkk..", "...........",
      ])
  }

  @Test func groundTruthIsDashed() {
    var drawing = ground(24, 5)
    drawing.draw([box(Box(1, 1, 23, 4), style: .groundTruth)])
    #expect(
      picture(drawing) == [
        "kkkkkkkkkk......kkkkkkkk", "kwwwwwwwwk......kwwwwwwk", "kwkkkkkkkk......kkkkkkwk", "kwwwwwwwwk......kwwwwwwk",
        "kkkkkkkkkk......kkkkkkkk",
      ])
  }

  /// The caption stands on the frame, in ink that can be read on the class's colour.
  @Test func caption() {
    var drawing = ground(24, 40)
    drawing.draw([box(Box(1, 22, 23, 38), 0, "i7")])
    #expect(
      picture(drawing)[9..<22].map { String($0.prefix(19)) } == [
        ".kkkkkkkkkkkkkkkkk.", ".k###############k.", ".k###############k.", ".k####w###wwwww##k.",
        ".k############w##k.", ".k###ww######w###k.", ".k####w#####w####k.", ".k####w####w#####k.",
        ".k####w####w#####k.", ".k###www###w#####k.", ".k###############k.", ".k###############k.",
        "kkkkkkkkkkkkkkkkkkk",
      ])
  }

  @Test(arguments: [
    Box(-50, -50, 500, 500), Box(3, 3, 3, 3), Box(-9, -9, -1, -1), Box(.nan, 0, .infinity, 5), Box(9, 9, 2, 2),
    Box(30, 20, 30, 20),
  ])
  func anywhere(box: Box) {
    for (width, height) in [(30, 20), (1, 1), (300, 2)] {
      for style in [DrawnBox.Style.detection, .groundTruth] {
        var drawing = ground(width, height)
        drawing.draw([self.box(box, 79, "naïve", "1.00", style: style)])
        let allowed: Set = [
          [128, 128, 128], [0, 0, 0], [255, 255, 255], bytes(Drawing.color(ofCategory: 79)),
        ]
        let count = drawing.pixels.count
        #expect(count == width * height * 3)
        #expect(stride(from: 0, to: count, by: 3).allSatisfy { allowed.contains(Array(drawing.pixels[$0..<$0 + 3])) })
      }
    }
  }

  /// Lines and letters take the same share of a picture ten times as large, as nearly as whole pixels allow.
  @Test func largePicturesHaveLargeLinesAndLetters() {
    func share(_ scale: Int) -> Double {
      var drawing = ground(640 * scale, 480 * scale)
      let side = Float(scale)
      drawing.draw([box(Box(100 * side, 100 * side, 500 * side, 400 * side), 0, "person", "0.98")])
      let changed = stride(from: 0, to: drawing.pixels.count, by: 3).count { drawing.pixels[$0] != 128 }
      return Double(changed) / Double(drawing.pixels.count / 3)
    }
    let (small, large) = (share(1), share(10))
    #expect(large > 0.5 * small && large < 2 * small, "\(small) and \(large)")
  }

  /// Two classes at one box: the second frame is seen inside the first.
  @Test func framesInOnePlaceDoNotHideEachOther() {
    var drawing = ground(60, 60)
    drawing.draw([box(Box(5, 5, 55, 55), 0), box(Box(5, 5, 55, 55), 1), box(Box(5, 5, 55, 55), 2)])
    for category in 0..<3 {
      let color = bytes(Drawing.color(ofCategory: Int64(category)))
      #expect((0..<60).contains { pixel(drawing, $0, 30) == color }, "\(category)")
    }
  }

  /// Ground truth lies over a detection of the same box, whose line is seen between the dashes.
  @Test func bothAreSeenAtOneBox() {
    var drawing = ground(100, 60)
    drawing.draw([box(Box(5, 5, 95, 55), 0), box(Box(5, 5, 95, 55), 0, style: .groundTruth)])
    let row = (0..<100).map { pixel(drawing, $0, 5) }
    #expect(row.contains([255, 255, 255]) && row.contains(bytes(Drawing.color(ofCategory: 0))))
  }

  /// The name is cut, the score stays.
  @Test func captionsFitIntoThePicture() {
    var (long, short) = (ground(70, 40), ground(70, 40))
    long.draw([box(Box(0, 20, 60, 40), 0, "refrigerator", "0.98")])
    short.draw([box(Box(0, 20, 60, 40), 0, "refri", "0.98")])
    #expect(long.pixels == short.pixels)
  }

  /// Classes are told apart, none is dark, and a class has its colour in whatever order the classes are.
  @Test func colors() {
    let colors = (1...90).map { Drawing.color(ofCategory: $0) }
    for color in colors {
      let brightness = 299 * Int(color.red) + 587 * Int(color.green) + 114 * Int(color.blue)
      #expect(brightness > 100_000)
    }
    for (i, a) in colors.prefix(20).enumerated() {
      for b in colors[..<i] {
        let difference =
          abs(Int(a.red) - Int(b.red)) + abs(Int(a.green) - Int(b.green)) + abs(Int(a.blue) - Int(b.blue))
        #expect(difference > 20)
      }
    }
    for id: Int64 in [.min, -1, .max] { _ = Drawing.color(ofCategory: id) }
  }

  @Test func channelOrder() {
    var (rgb, bgr) = (ground(8, 8), ground(8, 8, .bgr))
    rgb.draw([box(Box(1, 1, 7, 7))])
    bgr.draw([box(Box(1, 1, 7, 7))])
    let color = Drawing.color(ofCategory: 0)
    #expect(pixel(rgb, 1, 1) == [color.red, color.green, color.blue])
    #expect(pixel(bgr, 1, 1) == [color.blue, color.green, color.red])
  }
}

@Suite struct CaptionPlacementTests {
  private func rectangle(_ x: Range<Int>, _ y: Range<Int>) -> PixelRectangle { PixelRectangle(x: x, y: y) }

  /// The places of captions of one size.
  private func places(
    _ frames: [PixelRectangle], in size: ImageSize = ImageSize(height: 300, width: 400), width: Int = 60,
    height: Int = 12
  ) -> [PixelRectangle] {
    var placement = CaptionPlacement(picture: size, frames: frames, line: 2)
    return frames.indices.map { placement.place(width: width, height: height, frame: $0) }
  }

  private func expectNoOverlap(_ places: [PixelRectangle], sourceLocation: SourceLocation = #_sourceLocation) {
    for (index, place) in places.enumerated() {
      #expect(places[..<index].allSatisfy { $0.overlap(place) == 0 }, "\(index)", sourceLocation: sourceLocation)
    }
  }

  @Test func aboveThenInsideThenBelow() {
    #expect(places([rectangle(50..<200, 50..<200)]) == [rectangle(50..<110, 38..<50)])
    #expect(places([rectangle(50..<200, 5..<200)]) == [rectangle(52..<112, 7..<19)])
    #expect(places([rectangle(50..<80, 5..<20)]) == [rectangle(50..<110, 20..<32)])
  }

  @Test func captionsOfOnePlaceMoveApart() {
    let frames = [PixelRectangle](repeating: rectangle(50..<200, 50..<200), count: 8)
    expectNoOverlap(places(frames))
    // The same where the boxes are small and at the border.
    expectNoOverlap(places([PixelRectangle](repeating: rectangle(390..<400, 0..<9), count: 6)))
  }

  @Test func aCrowdedRowIsReadable() {
    let frames = (0..<10).map { rectangle($0 * 35..<$0 * 35 + 30, 100..<200) }
    expectNoOverlap(places(frames))
  }

  @Test func aSmallFrameIsNotHidden() {
    let small = rectangle(52..<70, 40..<49)
    let place = places([rectangle(50..<200, 50..<200), small])[0]
    #expect(place.overlap(small) == 0)
  }

  /// Whatever is asked for, a place is within the picture, or begins at its corner.
  @Test func noRoom() {
    let size = ImageSize(height: 20, width: 30)
    for place in places([rectangle(0..<30, 0..<20), rectangle(10..<11, 5..<6)], in: size, width: 100, height: 40) {
      #expect(place == rectangle(0..<100, 0..<40))
    }
    let many = [PixelRectangle](repeating: rectangle(0..<30, 0..<20), count: 50)
    for place in places(many, in: size, width: 20, height: 10) {
      #expect(place.x.upperBound <= 30 && place.y.upperBound <= 20)
    }
  }
}
