import Kernels

extension Tensor {
  /// RoIAlign over the levels of a feature pyramid: `[regions, outputHeight, outputWidth, channels]`.
  ///
  /// With `keepLevelsInGraph` a level that received no region still gets a gradient, of exact zeros, so that which
  /// parameters have a gradient doesn't depend on the data (in mmdetection: `roi_feats += feats[i].sum() * 0.`, which
  /// turns an infinity in an unused level into NaN everywhere). Without it, such a level gets none.
  /// - Parameters:
  ///   - levels: `[images, height, width, channels]` each.
  ///   - strides: the distance between cells of each level in pixels.
  ///   - levelOf: the level that each region is cut from.
  ///   - samplingRatio: sampling points of a bin along each axis; 0: as many as the bin is cells long, rounded up.
  ///   - aligned: whether pixel centres are at half-integer coordinates.
  public static func extractRegions(
    from levels: [Tensor], strides: [Int], regions: [RegionOfInterest], levelOf: [Int], outputHeight: Int,
    outputWidth: Int, samplingRatio: Int, aligned: Bool, keepLevelsInGraph: Bool, on engine: Engine
  ) -> Tensor {
    check(levels, strides, regions, levelOf)
    let align = RoIAlign(
      outputHeight: outputHeight, outputWidth: outputWidth, samplingRatio: samplingRatio, aligned: aligned)
    let output = Tensor(
      [regions.count, outputHeight, outputWidth, levels[0].shape[3]], on: engine,
      needsGradient: levels.contains { $0.needsGradient })
    let maps = zip(levels, strides).map { $0.featureMap($0.values, stride: $1) }
    align.forward(maps, regions: regions, levelOf: levelOf, into: output.values, engine.workers)

    guard output.needsGradient else { return output }
    let dy = output.gradientSlot
    let levels = LevelGradients(levels, strides, used: keepLevelsInGraph ? nil : Set(levelOf))
    engine.tape?.record(output) {
      align.backward(dy.values, regions: regions, levelOf: levelOf, into: levels.maps(), engine.workers)
    }
    return output
  }

  /// As `extractRegions(…samplingRatio…)`, by RoIPool instead of RoIAlign.
  public static func poolRegions(
    from levels: [Tensor], strides: [Int], regions: [RegionOfInterest], levelOf: [Int], outputHeight: Int,
    outputWidth: Int, keepLevelsInGraph: Bool, on engine: Engine
  ) -> Tensor {
    check(levels, strides, regions, levelOf)
    let pool = RoIPool(outputHeight: outputHeight, outputWidth: outputWidth)
    let output = Tensor(
      [regions.count, outputHeight, outputWidth, levels[0].shape[3]], on: engine,
      needsGradient: levels.contains { $0.needsGradient })
    let maps = zip(levels, strides).map { $0.featureMap($0.values, stride: $1) }
    pool.forward(maps, regions: regions, levelOf: levelOf, into: output.values, engine.workers)

    guard output.needsGradient else { return output }
    engine.tape?.record(output) {
      let maps = zip(levels, strides).map { $0.featureMap($0.values, stride: $1) }
      let gradients = LevelGradients(levels, strides, used: keepLevelsInGraph ? nil : Set(levelOf))
      pool.backward(
        output.gradientSlot.values, output: output.values, maps, regions: regions, levelOf: levelOf,
        into: gradients.maps(), engine.workers)
    }
    return output
  }

  private static func check(_ levels: [Tensor], _ strides: [Int], _ regions: [RegionOfInterest], _ levelOf: [Int]) {
    precondition(levels.count == strides.count, "\(levels.count) levels but \(strides.count) strides")
    precondition(regions.count == levelOf.count, "\(regions.count) regions but \(levelOf.count) level numbers")
    precondition(levelOf.allSatisfy(levels.indices.contains), "a region is to be cut from a level that there isn't")
    precondition(
      zip(regions, levelOf).allSatisfy { $0.isFinite && 0..<levels[$1].shape[0] ~= $0.image },
      "a region isn't finite, or lies on an image that there isn't")
  }

  fileprivate func featureMap(_ values: Floats, stride: Int) -> FeatureMap {
    FeatureMap(
      values, images: shape[0], height: shape[1], width: shape[2], channels: shape[3], scale: 1 / Float(stride))
  }
}

/// Where the gradients of a pyramid's levels go, without the levels' values.
private struct LevelGradients {
  private let levels: [(slot: GradientSlot, shape: [Int], stride: Int)?]

  /// Of the levels that want a gradient and, unless `used` is nil, are used.
  init(_ levels: [Tensor], _ strides: [Int], used: Set<Int>?) {
    self.levels = levels.indices.map { index in
      guard levels[index].needsGradient, used?.contains(index) ?? true else { return nil }
      return (levels[index].gradientSlot, levels[index].shape, strides[index])
    }
  }

  /// The gradients to be added to.
  func maps() -> [FeatureMap?] {
    levels.map { level in
      level.map { slot, shape, stride in
        FeatureMap(
          slot.toAddTo(), images: shape[0], height: shape[1], width: shape[2], channels: shape[3],
          scale: 1 / Float(stride))
      }
    }
  }
}
