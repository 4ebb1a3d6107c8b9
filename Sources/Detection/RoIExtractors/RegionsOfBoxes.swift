import Kernels
import Primitives

extension RegionOfInterest {
  /// mmdetection's `bbox2roi`: the boxes of all images in one list, image by image.
  public static func all(of boxesOfImages: [[Box]]) -> [RegionOfInterest] {
    boxesOfImages.enumerated().flatMap { image, boxes in
      boxes.map { RegionOfInterest(image: image, $0) }
    }
  }

  init(image: Int, _ box: Box) { self.init(image: image, x1: box.x1, y1: box.y1, x2: box.x2, y2: box.y2) }

  /// Both sides multiplied by `factor` about the centre.
  public func scaled(by factor: Float) -> RegionOfInterest {
    let (x, y) = ((x1 + x2) * 0.5, (y1 + y2) * 0.5)
    let (halfWidth, halfHeight) = (width * factor * 0.5, height * factor * 0.5)
    return RegionOfInterest(
      image: image, x1: x - halfWidth, y1: y - halfHeight, x2: x + halfWidth, y2: y + halfHeight)
  }
}

extension [RegionOfInterest] {
  /// All of them stretched; nil leaves them.
  func scaled(by factor: Float?) -> [RegionOfInterest] {
    factor.map { factor in map { $0.scaled(by: factor) } } ?? self
  }
}
