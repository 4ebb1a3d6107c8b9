import Primitives

extension FlipDirection {
  /// Whether rows are mirrored; diagonal is both ways.
  var mirrorsX: Bool { self != .vertical }
  /// Whether columns are.
  var mirrorsY: Bool { self != .horizontal }

  /// A box in the mirrored picture: `x' = width - x`, without "- 1".
  func flip(_ box: Box, in size: ImageSize) -> Box {
    let (width, height) = (Float(size.width), Float(size.height))
    var flipped = box
    if mirrorsX { (flipped.x1, flipped.x2) = (width - box.x2, width - box.x1) }
    if mirrorsY { (flipped.y1, flipped.y2) = (height - box.y2, height - box.y1) }
    return flipped
  }
}
