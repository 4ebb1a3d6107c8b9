import Kernels
import Primitives

extension Tensor {
  /// The features of regions from the levels of a feature pyramid: `[regions, outputHeight, outputWidth, channels]`.
  ///
  /// With `keepLevelsInGraph` a level that received no region still gets a gradient, of exact zeros, so that which
  /// parameters have a gradient doesn't depend on the data (in mmdetection: `roi_feats += feats[i].sum() * 0.`, which
  /// turns an infinity in an unused level into NaN everywhere). Without it, such a level gets none.
  /// - Parameters:
  ///   - layer: how a region is cut out.
  ///   - levels: `[images, height, width, channels]` each.
  ///   - strides: the distance between cells of each level in pixels.
  ///   - regions: in pixels of the network's input; finite.
  ///   - levelOf: the level that each region is cut from.
  ///   - keepLevelsInGraph: whether a level without a region gets a gradient all the same.
  ///   - engine: where the features are computed.
  public static func extractRegions(
    by layer: any RoILayer, from levels: [Tensor], strides: [Int], regions: [RegionOfInterest], levelOf: [Int],
    keepLevelsInGraph: Bool, on engine: Engine
  ) -> Tensor {
    check(levels, strides, regions, levelOf)
    let places = levels.indices.map { LevelPlace(levels[$0], stride: strides[$0]) }
    let output = Tensor(
      [regions.count, layer.outputHeight, layer.outputWidth, levels[0].shape[3]], on: engine,
      needsGradient: levels.contains { $0.needsGradient })
    layer.forward(
      zip(places, levels).map { $0.featureMap($1.values) }, regions: regions, levelOf: levelOf, into: output.values,
      engine.workers)
    guard output.needsGradient, let tape = engine.tape else { return output }
    let (dy, used, workers) = (output.gradientSlot, Set(levelOf), engine.workers)
    let slots = levels.indices.map { index in
      levels[index].needsGradient && (keepLevelsInGraph || used.contains(index)) ? levels[index].gradientSlot : nil
    }
    let readsValues = layer.backwardReadsValues
    tape.record(
      output, reading: levels.indices.map { readsValues && used.contains($0) ? levels[$0] : nil },
      readsValues ? output : nil
    ) { features, pooled in
      let maps = zip(places, features).map { place, values in values.map(place.featureMap) }
      let gradients = zip(places, slots).map { place, slot in slot.map { place.featureMap($0.toAddTo()) } }
      layer.backward(
        dy.values, values: pooled.map { RoIValues(levels: maps, output: $0) }, regions: regions, levelOf: levelOf,
        into: gradients, workers)
    }
    return output
  }

  private static func check(_ levels: [Tensor], _ strides: [Int], _ regions: [RegionOfInterest], _ levelOf: [Int]) {
    require(
      !levels.isEmpty && levels.allSatisfy { $0.shape.count == 4 && $0.shape[3] == levels[0].shape[3] },
      "regions can't be cut from levels of the shapes \(levels.map(\.shape))")
    require(levels.count == strides.count, "\(levels.count) levels but \(strides.count) strides")
    require(regions.count == levelOf.count, "\(regions.count) regions but \(levelOf.count) level numbers")
    for (region, level) in zip(regions, levelOf) {
      require(levels.indices.contains(level), "\(region) is to be cut from level \(level) of \(levels.count)")
      require(
        region.isFinite && 0..<levels[level].shape[0] ~= region.image,
        "\(region) isn't finite, or lies on none of \(levels[level].shape[0]) images")
    }
  }
}

/// The sizes of a pyramid's level, without its values.
private struct LevelPlace {
  private let shape: [Int]
  private let scale: Float

  init(_ level: Tensor, stride: Int) { (shape, scale) = (level.shape, 1 / Float(stride)) }

  func featureMap(_ values: Floats) -> FeatureMap {
    FeatureMap(values, images: shape[0], height: shape[1], width: shape[2], channels: shape[3], scale: scale)
  }
}
