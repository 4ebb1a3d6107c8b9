import Primitives
import Tensors

/// A batch as the detector sees it.
public struct DetectorInput {
  /// `[N, H, W, 3]`, normalised and padded to a common size.
  public let images: Tensor
  public let metas: [ImageMeta]
  /// The objects of each image; empty lists in test mode.
  public let targets: [ImageTargets]
  /// The proposals that are given for each image, in pixels of the network's input; read by `GivenProposals` alone.
  public let proposals: [[Box]]

  public init(images: Tensor, metas: [ImageMeta], targets: [ImageTargets] = [], proposals: [[Box]] = []) {
    (self.images, self.metas, self.targets, self.proposals) = (images, metas, targets, proposals)
  }

  /// One image alone, padded as in the batch.
  public func image(_ index: Int) -> DetectorInput {
    let alone = Tensor([1] + images.shape.dropFirst(), on: images.engine)
    alone.values.update(from: images.values + index * alone.count, count: alone.count)
    return DetectorInput(
      images: alone, metas: [metas[index]], targets: targets.isEmpty ? [] : [targets[index]],
      proposals: proposals.isEmpty ? [] : [proposals[index]])
  }

  public var imageSize: ImageSize { ImageSize(height: images.shape[1], width: images.shape[2]) }
}

/// mmdetection's `img_metas`, as far as the detector reads them.
public struct ImageMeta: Sendable {
  public let imageID: Int64
  /// 0; another number where an image comes once more in an epoch, so that its random samples are others.
  public let draw: Int
  /// After Resize, before Pad.
  public let imgShape: ImageSize
  /// After the image's own Pad.
  public let padShape: ImageSize
  /// From the original picture to the resized one.
  public let scaleFactor: (x: Float, y: Float)

  public init(
    imageID: Int64, draw: Int = 0, imgShape: ImageSize, padShape: ImageSize, scaleFactor: (x: Float, y: Float) = (1, 1)
  ) {
    (self.imageID, self.draw) = (imageID, draw)
    (self.imgShape, self.padShape, self.scaleFactor) = (imgShape, padShape, scaleFactor)
  }
}

/// The ground truth of an image, in pixels of the network's input.
public struct ImageTargets: Sendable {
  public let gtBoxes: [Box]
  /// 0 ..< number of classes.
  public let gtLabels: [Int]
  /// `gt_bboxes_ignore`; matter only where an assigner's `ignore_iof_thr` is set.
  public let gtBoxesIgnore: [Box]

  public init(gtBoxes: [Box], gtLabels: [Int], gtBoxesIgnore: [Box] = []) {
    (self.gtBoxes, self.gtLabels, self.gtBoxesIgnore) = (gtBoxes, gtLabels, gtBoxesIgnore)
  }
}
