import Foundation
import Kernels
import Primitives
import Tensors

/// Cuts each region from the level of the pyramid that fits its size, as mmdetection's `SingleRoIExtractor`
/// (Lin et al., "Feature pyramid networks", section 4.2).
public struct SingleRoIExtractor: Sendable {
  public let configuration: RoIExtractorConfiguration
  public let keepLevelsInGraph: Bool

  public init(configuration: RoIExtractorConfiguration, keepLevelsInGraph: Bool = true) {
    (self.configuration, self.keepLevelsInGraph) = (configuration, keepLevelsInGraph)
  }

  /// Features of all regions, `[regions, outputHeight, outputWidth, channels]`.
  /// - Parameters:
  ///   - levels: the pyramid, finest first; levels beyond `featmapStrides` are not used.
  ///   - scaleFactor: `roi_scale_factor`: stretches the regions about their centres after the level was chosen.
  public func callAsFunction(
    _ levels: [Tensor], regions: [RegionOfInterest], scaleFactor: Float? = nil, on engine: Engine
  ) -> Tensor {
    for (number, region) in regions.enumerated() {
      precondition(region.isFinite, "RoI \(number) of \(regions.count) isn't finite: \(region)")
    }
    let levels = Array(levels.prefix(configuration.featmapStrides.count))
    let levelOf = regions.map(level)
    let regions = scaleFactor.map { factor in regions.map { $0.scaled(by: factor) } } ?? regions
    switch configuration.layer {
    case .align:
      return Tensor.extractRegions(
        from: levels, strides: configuration.featmapStrides, regions: regions, levelOf: levelOf,
        outputHeight: configuration.outputHeight, outputWidth: configuration.outputWidth,
        samplingRatio: configuration.samplingRatio, aligned: configuration.aligned,
        keepLevelsInGraph: keepLevelsInGraph, on: engine)
    case .pool:
      return Tensor.poolRegions(
        from: levels, strides: configuration.featmapStrides, regions: regions, levelOf: levelOf,
        outputHeight: configuration.outputHeight, outputWidth: configuration.outputWidth,
        keepLevelsInGraph: keepLevelsInGraph, on: engine)
    }
  }

  /// `floor(log2(√(w h) / finest_scale + 1e-6))` within the levels: 0 up to twice the finest scale, and so on.
  public func level(of region: RegionOfInterest) -> Int {
    let scale = max(region.width * region.height, 0).squareRoot()
    let level = log2(scale / configuration.finestScale + 1e-6).rounded(.down)
    return Int(min(max(level, 0), Float(configuration.featmapStrides.count - 1)))
  }
}

extension RegionOfInterest {
  /// mmdetection's `bbox2roi`: the boxes of all images in one list, image by image.
  public static func all(of boxesOfImages: [[Box]]) -> [RegionOfInterest] {
    boxesOfImages.enumerated().flatMap { image, boxes in
      boxes.map { RegionOfInterest(image: image, x1: $0.x1, y1: $0.y1, x2: $0.x2, y2: $0.y2) }
    }
  }

  /// Both sides multiplied by `factor` about the centre.
  public func scaled(by factor: Float) -> RegionOfInterest {
    let (x, y) = ((x1 + x2) * 0.5, (y1 + y2) * 0.5)
    let (halfWidth, halfHeight) = (width * factor * 0.5, height * factor * 0.5)
    return RegionOfInterest(
      image: image, x1: x - halfWidth, y1: y - halfHeight, x2: x + halfWidth, y2: y + halfHeight)
  }
}
