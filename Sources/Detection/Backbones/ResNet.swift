import Layers
import Tensors

/// ResNet (He et al., 2016), ResNeXt (Xie et al., 2017) and RegNet (Radosavovic et al., 2020) as mmdetection builds them:
/// parameter names, stages frozen from below, `pytorch` and `caffe` style. Gives the maps of the stages in `outIndices`.
public struct ResNet: Backbone {
  private let stem: ResNetStem
  private let stages: [(layer: ResLayer, isRecomputed: Bool)]
  private let outIndices: [Int]

  /// - Parameters:
  ///   - configuration: the stem, the stages, which of them are frozen, and whose maps are handed on.
  ///   - scope: where the parameters stand.
  ///   - recomputing: stages, from 1 on, whose maps are computed again in the backward pass.
  public init(_ configuration: ResNetConfiguration, in scope: LayerScope, recomputing: [Int] = []) {
    stem = ResNetStem(configuration, in: scope.frozen(configuration.frozenStages >= 0))
    stages = configuration.stages.enumerated().map { index, stage in
      let stageScope = scope.frozen(configuration.frozenStages > index).scope("layer\(index + 1)")
      return (ResLayer(stage, in: stageScope), recomputing.contains(index + 1))
    }
    outIndices = configuration.outIndices
  }

  /// `images`: `[N, H, W, 3]`.
  public func callAsFunction(_ images: Tensor) throws -> [Tensor] {
    var x = try stem(images)
    var maps: [Tensor] = []
    for (index, stage) in stages.enumerated() {
      x =
        try stage.isRecomputed
        ? x.recomputed(training: stage.layer.trained, stage.layer.callAsFunction) : stage.layer(x)
      if outIndices.contains(index) { maps.append(x) }
    }
    return maps
  }
}

/// What comes before the first stage: a 7×7 convolution of stride 2, `conv1`, or three 3×3, `stem.0`, `stem.3` and `stem.6`
/// (`deep_stem`), and max pooling; of a RegNet a 3×3 convolution alone.
private struct ResNetStem {
  private let layers: [(convolution: Convolution2D, norm: Norm)]
  private let pools: Bool

  init(_ configuration: ResNetConfiguration, in scope: LayerScope) {
    let channels = configuration.stemChannels ?? configuration.baseChannels
    func layer(
      _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int, names: (String, String)
    ) -> (Convolution2D, Norm) {
      (
        Convolution2D(
          inChannels, outChannels, kernel: kernel, stride: stride, padding: kernel / 2,
          configuration: configuration.convolution, hasBias: false, initializer: .kaimingNormal(fanOut: true),
          in: scope.scope(names.0)),
        Norm(configuration.norm, channels: outChannels, in: scope.scope(names.1), evaluates: configuration.normEval)
      )
    }
    pools = configuration.poolsAfterStem
    if pools && configuration.deepStem {
      layers = [
        layer(configuration.inChannels, channels / 2, kernel: 3, stride: 2, names: ("stem.0", "stem.1")),
        layer(channels / 2, channels / 2, kernel: 3, stride: 1, names: ("stem.3", "stem.4")),
        layer(channels / 2, channels, kernel: 3, stride: 1, names: ("stem.6", "stem.7")),
      ]
    } else {
      let names = ("conv1", "\(configuration.norm.abbreviation)1")
      layers = [layer(configuration.inChannels, channels, kernel: pools ? 7 : 3, stride: 2, names: names)]
    }
  }

  func callAsFunction(_ images: Tensor) throws -> Tensor {
    let x = try layers.reduce(images) { try $1.norm($1.convolution, $0, relu: true) }
    return pools ? x.maxPool(kernel: 3, stride: 2, padding: 1) : x
  }
}
