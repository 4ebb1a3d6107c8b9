import Foundation
import Kernels
import Primitives
import Tensors

/// `bbox_roi_extractor`, type `SingleRoIExtractor` with `RoIAlign` or `RoIPool`.
public struct SingleRoIExtractorConfiguration: Equatable, Sendable {
  public enum Layer: String, Sendable, CaseIterable { case align = "RoIAlign", pool = "RoIPool" }
  public var layer = Layer.align
  public var outputHeight = 7
  public var outputWidth = 7
  /// 0: as many sampling points as the bin has pixels, rounded up.
  public var samplingRatio = 0
  public var aligned = true
  public var outChannels = 256
  public var featmapStrides = [4, 8, 16, 32]
  public var finestScale: Float = 56

  public init() {}
}

/// Cuts each region from the level of the pyramid that fits its size, as mmdetection's `SingleRoIExtractor`
/// (Lin et al., "Feature pyramid networks", section 4.2).
public struct SingleRoIExtractor: RoIExtractor {
  public let configuration: SingleRoIExtractorConfiguration
  public let keepLevelsInGraph: Bool

  public init(configuration: SingleRoIExtractorConfiguration, keepLevelsInGraph: Bool = true) {
    (self.configuration, self.keepLevelsInGraph) = (configuration, keepLevelsInGraph)
  }

  /// Levels beyond `featmapStrides` are not used.
  public func callAsFunction(
    _ levels: [Tensor], regions: [RegionOfInterest], scaleFactor: Float?, on engine: Engine
  ) -> Tensor {
    for (number, region) in regions.enumerated() {
      require(region.isFinite, "RoI \(number) of \(regions.count) isn't finite: \(region)")
    }
    let levels = Array(levels.prefix(configuration.featmapStrides.count))
    let levelOf = regions.map(level)
    let regions = regions.scaled(by: levels.count > 1 ? scaleFactor : nil)
    return Tensor.extractRegions(
      by: configuration.roiLayer, from: levels, strides: configuration.featmapStrides, regions: regions,
      levelOf: levelOf, keepLevelsInGraph: keepLevelsInGraph, on: engine)
  }

  /// `floor(log2(√(w h) / finest_scale + 1e-6))` within the levels: 0 up to twice the finest scale, and so on.
  public func level(of region: RegionOfInterest) -> Int {
    let scale = max(region.width * region.height, 0).squareRoot()
    let level = log2(scale / configuration.finestScale + 1e-6).rounded(.down)
    return Int(min(max(level, 0), Float(configuration.featmapStrides.count - 1)))
  }
}

extension SingleRoIExtractorConfiguration {
  var roiLayer: any RoILayer {
    switch layer {
    case .align:
      RoIAlign(
        outputHeight: outputHeight, outputWidth: outputWidth, samplingRatio: samplingRatio, aligned: aligned)
    case .pool: RoIPool(outputHeight: outputHeight, outputWidth: outputWidth)
    }
  }
}
