/// `roi_layer`: cuts regions of one size out of the maps of a feature pyramid.
public protocol RoILayer: Sendable {
  /// The bins of a region along each axis.
  var outputHeight: Int { get }
  var outputWidth: Int { get }
  /// Whether `backward` reads the features and the output.
  var backwardReadsValues: Bool { get }

  /// Writes `output[r]`, `[outputHeight, outputWidth, channels]`, from level `levelOf[r]` for each region r.
  func forward(
    _ levels: [FeatureMap], regions: [RegionOfInterest], levelOf: [Int], into output: Floats, _ workers: Workers)

  /// Adds the gradient of each level in `gradients` given that of the output. A nil level is left out.
  ///
  /// - Parameters:
  ///   - outputGradient: `[regions, outputHeight, outputWidth, channels]`.
  ///   - values: those of the forward pass, where `backwardReadsValues`.
  ///   - regions: those of the forward pass.
  ///   - levelOf: the level that each region was cut from.
  ///   - gradients: for each level a map of its size.
  ///   - workers: the threads to compute with.
  func backward(
    _ outputGradient: Floats, values: RoIValues?, regions: [RegionOfInterest], levelOf: [Int],
    into gradients: [FeatureMap?], _ workers: Workers)
}

/// What the backward pass of a layer may read of its forward pass.
public struct RoIValues {
  /// The levels that a region was cut from; the others are nil.
  public let levels: [FeatureMap?]
  /// `[regions, outputHeight, outputWidth, channels]`.
  public let output: Floats

  public init(levels: [FeatureMap?], output: Floats) { (self.levels, self.output) = (levels, output) }
}
