import COCO
import Foundation
import Primitives

/// The boxes of a data set as the RPN meets them: resized and clipped by the pipeline, not flipped.
struct ResizedBoxes {
  struct Element {
    let box: Box
    /// Its area in the picture as it is stored.
    let storedArea: Float
    /// The place of its image among `shapes`.
    fileprivate let shape: Int32

    /// The logarithm to the base 2 of the root of its area, as the network sees it.
    var octave: Int { Int(log2(max(1, box.area.squareRoot())).rounded(.down)) }
  }

  private(set) var elements: [Element] = []
  private(set) var imageCount = 0
  /// Each box is there once for each of these; nil: as large as it is stored.
  let scales: [ImageScale?]
  private var shapes: [(image: ImageSize, padded: ImageSize)] = []

  /// - Throws: `COCOError` for an impossible pipeline.
  init(_ dataset: CocoDataset, _ steps: [PipelineStep]) throws {
    let views = Self.views(steps)
    scales = views.map(\.scale)
    let pipelines = try views.map { try Pipeline($0.steps) }
    for index in dataset.images.distinct {
      let image = dataset.images[index]
      imageCount += 1
      guard !image.boxes.isEmpty else { continue }
      for pipeline in pipelines {
        let geometry = pipeline.geometry(of: image.size, imageID: image.id, key: DrawKey(seed: 0, epoch: 0))
        for (box, stored) in zip(pipeline.boxes(of: image, geometry), image.boxes) {
          elements.append(Element(box: box, storedArea: stored.area, shape: Int32(shapes.count)))
        }
        shapes.append((geometry.imgShape, geometry.padShape))
      }
    }
  }

  func shape(of element: Element) -> (image: ImageSize, padded: ImageSize) { shapes[Int(element.shape)] }

  /// At most `count` of them, at equal steps.
  func sample(_ count: Int) -> ResizedBoxes {
    guard elements.count > count else { return self }
    var sample = self
    sample.elements = (0..<count).map { elements[$0 * elements.count / count] }
    return sample
  }

  /// A pipeline for each size that Resize may choose: each of `img_scale`, or where that is a range its ends and its
  /// middle.
  private static func views(_ steps: [PipelineStep]) -> [(scale: ImageScale?, steps: [PipelineStep])] {
    let steps = steps.filter { if case .randomFlip = $0 { false } else { true } }
    for (place, step) in steps.enumerated() {
      guard case .resize(let scales, let mode, let keepRatio, let clipsBoxes) = step else { continue }
      let chosen = mode == .range && scales.count == 2 ? middleAndEnds(scales) : scales
      return chosen.map { scale in
        var steps = steps
        steps[place] = .resize(scales: [scale], mode: .value, keepRatio: keepRatio, clipsBoxes: clipsBoxes)
        return (scale, steps)
      }
    }
    return [(nil, steps)]
  }

  private static func middleAndEnds(_ scales: [ImageScale]) -> [ImageScale] {
    let longEdges = scales.map { max($0.width, $0.height) }.sorted()
    let shortEdges = scales.map { min($0.width, $0.height) }.sorted()
    let (low, high) = (
      ImageScale(width: longEdges[0], height: shortEdges[0]), ImageScale(width: longEdges[1], height: shortEdges[1])
    )
    let middle = ImageScale(width: (low.width + high.width) / 2, height: (low.height + high.height) / 2)
    return low == high ? [low] : [low, middle, high]
  }
}
