import Primitives

/// Finds places for captions: at the frame each belongs to, where they hide neither each other nor the lines of frames,
/// as long as there is room.
package struct CaptionPlacement {
  private let picture: ImageSize
  private let frames: [PixelRectangle]
  /// The width of the frames' lines.
  private let line: Int
  private var placed: [PixelRectangle] = []

  package init(picture: ImageSize, frames: [PixelRectangle], line: Int) {
    (self.picture, self.frames, self.line) = (picture, frames, line)
  }

  /// More captions than that are put where they stand by default: they could be told apart in no place.
  private static let maximumSearched = 1000

  /// The place of the next caption.
  /// - Parameters:
  ///   - frame: which of the frames it belongs to.
  ///   - standsBelow: its first place is below the frame rather than above.
  package mutating func place(width: Int, height: Int, frame index: Int, standsBelow: Bool = false) -> PixelRectangle {
    let places = places(width, height, frames[index], standsBelow: standsBelow)
    var best = places[0]
    if placed.count < Self.maximumSearched {
      var least = Int.max
      for place in places {
        let cost = cost(place)
        if cost < least { (best, least) = (place, cost) }
        if cost == 0 { break }
      }
    }
    placed.append(best)
    return best
  }

  /// What a caption would hide: other captions, and, which is less bad, lines of frames.
  private func cost(_ place: PixelRectangle) -> Int {
    var cost = 0
    for other in placed { cost += 16 * place.overlap(other) }
    for frame in frames {
      let covered = place.overlap(frame)
      if covered > 0 { cost += covered - place.overlap(frame.inset(by: line)) }
    }
    return cost
  }

  /// The places that come into question, the best first; there is at least one.
  private func places(_ width: Int, _ height: Int, _ frame: PixelRectangle, standsBelow: Bool) -> [PixelRectangle] {
    let (left, right) = (frame.x.lowerBound, frame.x.upperBound)
    let isRoomy = frame.height >= 3 * height && frame.width >= width + 2 * line
    let (above, below) = (frame.y.lowerBound - height, frame.y.upperBound)
    var outside = [above, below]
    var inside = [frame.y.lowerBound + line, frame.y.upperBound - line - height]
    if standsBelow { (outside, inside) = (outside.reversed(), inside.reversed()) }
    var corners: [(x: Int, y: Int)] = []
    for end in 0..<2 {
      corners.append((left, outside[end]))
      if isRoomy { corners.append((left + line, inside[end])) }
      corners.append((right - width, outside[end]))
      if isRoomy { corners.append((right - line - width, inside[end])) }
    }
    // Along the edges, then beside them, then away from the frame.
    for y in outside {
      for x in stride(from: left, through: right - width, by: max(1, width / 3)) { corners.append((x, y)) }
    }
    for y in stride(from: frame.y.lowerBound, through: frame.y.upperBound - height, by: height) {
      corners += [(right, y), (left - width, y)]
    }
    for step in 1...6 {
      corners += [(left, above - step * height), (left, below + step * height)]
    }
    let places = corners.filter { (0...max(0, picture.height - height)).contains($0.y) }.map {
      rectangle($0.x, $0.y, width, height)
    }
    return places.isEmpty ? [rectangle(left, frame.y.lowerBound, width, height)] : places
  }

  /// Moved into the picture.
  private func rectangle(_ x: Int, _ y: Int, _ width: Int, _ height: Int) -> PixelRectangle {
    let left = max(0, min(x, picture.width - width))
    let top = max(0, min(y, picture.height - height))
    return PixelRectangle(x: left..<left + width, y: top..<top + height)
  }
}
