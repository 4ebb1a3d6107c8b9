import Primitives

extension FlipDirection {
  private var mirrorsX: Bool { self != .vertical }
  private var mirrorsY: Bool { self != .horizontal }

  /// The picture mirrored; diagonal is both ways.
  func flip(_ image: DecodedImage) -> DecodedImage {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(image.pixels.count)
    for y in 0..<image.height {
      let start = (mirrorsY ? image.height - 1 - y : y) * image.width * 3
      if mirrorsX {
        for x in stride(from: start + (image.width - 1) * 3, through: start, by: -3) {
          for channel in 0..<3 { pixels.append(image.pixels[x + channel]) }
        }
      } else {
        pixels.append(contentsOf: image.pixels[start..<start + image.width * 3])
      }
    }
    return DecodedImage(height: image.height, width: image.width, pixels: pixels)
  }

  /// A box in the mirrored picture: `x' = width - x`, without "- 1".
  func flip(_ box: Box, in size: ImageSize) -> Box {
    let (width, height) = (Float(size.width), Float(size.height))
    var flipped = box
    if mirrorsX { (flipped.x1, flipped.x2) = (width - box.x2, width - box.x1) }
    if mirrorsY { (flipped.y1, flipped.y2) = (height - box.y2, height - box.y1) }
    return flipped
  }
}
