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
    precondition(levels.count == strides.count, "\(levels.count) levels but \(strides.count) strides")
    precondition(regions.count == levelOf.count, "\(regions.count) regions but \(levelOf.count) level numbers")
    precondition(levelOf.allSatisfy(levels.indices.contains), "a region is to be cut from a level that there isn't")
    precondition(
      zip(regions, levelOf).allSatisfy { $0.isFinite && 0..<levels[$1].shape[0] ~= $0.image },
      "a region isn't finite, or lies on an image that there isn't")
    let align = RoIAlign(
      outputHeight: outputHeight, outputWidth: outputWidth, samplingRatio: samplingRatio, aligned: aligned)
    let output = Tensor(
      [regions.count, outputHeight, outputWidth, levels[0].shape[3]], on: engine,
      needsGradient: levels.contains { $0.needsGradient })
    let maps = zip(levels, strides).map { $0.featureMap($0.values, stride: $1) }
    align.forward(maps, regions: regions, levelOf: levelOf, into: output.values, engine.workers)

    guard output.needsGradient else { return output }
    engine.tape?.record(output) {
      let used = Set(levelOf)
      let gradients = zip(levels, strides).enumerated().map { index, level -> FeatureMap? in
        guard level.0.needsGradient, keepLevelsInGraph || used.contains(index) else { return nil }
        return level.0.featureMap(level.0.zeroedGradient(), stride: level.1)
      }
      align.backward(output.gradient, regions: regions, levelOf: levelOf, into: gradients, engine.workers)
    }
    return output
  }

  private func featureMap(_ values: Floats, stride: Int) -> FeatureMap {
    FeatureMap(
      values, images: shape[0], height: shape[1], width: shape[2], channels: shape[3], scale: 1 / Float(stride))
  }

  /// As `gradientToAddTo`, by all threads: the finest level is the largest array of the backward pass.
  private func zeroedGradient() -> Floats {
    let (values, isFresh) = gradientTarget()
    if isFresh {
      engine.workers.run(over: count, grain: 1 << 18) { range in
        (values + range.lowerBound).update(repeating: 0, count: range.count)
      }
    }
    return values
  }
}
