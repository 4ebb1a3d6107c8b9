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
}
