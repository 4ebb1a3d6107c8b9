import Layers

/// The detector's options, with mmdetection 2.11's names and defaults. A `TwoStageConfiguration` is the whole `model:`
/// section of a configuration file; reading one from YAML is the Training target's work.

/// `model.backbone`, type `ResNet`.
public struct ResNetConfiguration: Equatable, Sendable {
  public enum Style: String, Sendable, CaseIterable {
    /// Stride 2 at a bottleneck's 3×3 convolution.
    case pytorch
    /// Stride 2 at a bottleneck's first 1×1 convolution.
    case caffe
  }
  public var depth = 50
  public var inChannels = 3
  public var baseChannels = 64
  public var numStages = 4
  public var outIndices = [0, 1, 2, 3]
  public var style = Style.pytorch
  /// Stages that are not trained: -1 none, 0 the stem, 1 the stem and layer1, …
  public var frozenStages = -1
  public var norm = NormConfiguration.batch(requiresGrad: true)
  /// Keeps BN's running statistics and normalises with them.
  public var normEval = true
  public var zeroInitResidual = true
  /// Stages, from 1 on, whose maps are computed again in the backward pass instead of being kept (`mpi.recompute`).
  public var recompute: [Int] = []

  public init() {}

  /// Whether its norms gather statistics of the batch while training.
  public var usesBatchStatistics: Bool {
    if case .group = norm { return false }
    return !normEval
  }
}

/// `model.neck`, type `FPN`.
public struct FPNConfiguration: Equatable, Sendable {
  public enum ExtraConvolutions: String, Sendable, CaseIterable {
    case none, onInput = "on_input", onLateral = "on_lateral", onOutput = "on_output"
  }
  public var inChannels = [256, 512, 1024, 2048]
  public var outChannels = 256
  public var numOuts = 5
  public var startLevel = 0
  public var endLevel = -1
  public var addExtraConvs = ExtraConvolutions.none
  public var reluBeforeExtraConvs = false
  /// nil: convolutions with bias and no norm, as mmdetection's default.
  public var norm: NormConfiguration?

  public init() {}
}

/// `anchor_generator`, type `AnchorGenerator`.
public struct AnchorGeneratorConfiguration: Equatable, Sendable {
  /// (width, height) for each level.
  public var strides: [(width: Int, height: Int)] = [4, 8, 16, 32, 64].map { ($0, $0) }
  public var ratios: [Float] = [0.5, 1, 2]
  public var scales: [Float] = [8]
  /// nil: the smaller stride of each level.
  public var baseSizes: [Float]?
  public var scaleMajor = true
  public var centerOffset: Float = 0
  /// Explicit (x, y) centres of the base anchors.
  public var centers: [(x: Float, y: Float)]?

  public init() {}

  public static func == (a: Self, b: Self) -> Bool {
    a.strides.elementsEqual(b.strides, by: ==) && a.ratios == b.ratios && a.scales == b.scales
      && a.baseSizes == b.baseSizes && a.scaleMajor == b.scaleMajor && a.centerOffset == b.centerOffset
      && (a.centers == nil) == (b.centers == nil) && (a.centers ?? []).elementsEqual(b.centers ?? [], by: ==)
  }
}

/// `bbox_coder`, type `DeltaXYWHBBoxCoder`.
public struct BoxCoderConfiguration: Equatable, Sendable {
  public var targetMeans: [Float] = [0, 0, 0, 0]
  public var targetStds: [Float] = [1, 1, 1, 1]
  public var clipBorder = true

  public init() {}
}

/// `loss_cls`, type `CrossEntropyLoss`.
public struct ClassificationLossConfiguration: Equatable, Sendable {
  public var useSigmoid = false
  public var lossWeight: Float = 1
  public var classWeight: [Float]?

  public init() {}
}

/// `loss_bbox`, type `L1Loss` or `SmoothL1Loss`.
public struct BoxLossConfiguration: Equatable, Sendable {
  public enum Kind: Equatable, Sendable { case l1, smoothL1(beta: Float) }
  public var kind = Kind.l1
  public var lossWeight: Float = 1

  public init() {}
}

/// `assigner`, type `MaxIoUAssigner`.
public struct AssignerConfiguration: Equatable, Sendable {
  public var posIoUThr: Float = 0.7
  /// `neg_iou_thr`: a number is `(0, number)`; a pair is [low, high).
  public var negIoUThr: (low: Float, high: Float) = (0, 0.3)
  public var minPosIoU: Float = 0
  public var gtMaxAssignAll = true
  public var ignoreIoFThr: Float = -1
  public var ignoreWrtCandidates = true
  public var matchLowQuality = true

  public init() {}

  public static func == (a: Self, b: Self) -> Bool {
    a.posIoUThr == b.posIoUThr && a.negIoUThr == b.negIoUThr && a.minPosIoU == b.minPosIoU
      && a.gtMaxAssignAll == b.gtMaxAssignAll && a.ignoreIoFThr == b.ignoreIoFThr
      && a.ignoreWrtCandidates == b.ignoreWrtCandidates && a.matchLowQuality == b.matchLowQuality
  }
}

/// `sampler`, type `RandomSampler` (or `PseudoSampler`, which takes everything).
public struct SamplerConfiguration: Equatable, Sendable {
  public var isPseudo = false
  public var num = 256
  public var posFraction: Float = 0.5
  /// At most this many negatives for each positive; below 0 no bound.
  public var negPosUB: Float = -1
  public var addGtAsProposals = false

  public init() {}
}

/// `nms` or `soft_nms`.
public struct NMSConfiguration: Equatable, Sendable {
  public enum Kind: String, Sendable, CaseIterable { case nms, softNMS = "soft_nms" }
  public enum SoftMethod: String, Sendable, CaseIterable { case naive, linear, gaussian }
  public var kind = Kind.nms
  public var iouThreshold: Float = 0.7
  public var classAgnostic = false
  /// From this many boxes on, groups are treated one at a time.
  public var splitThr = 10000
  public var softMethod = SoftMethod.linear
  public var sigma: Float = 0.5
  public var minScore: Float = 1e-3

  public init() {}
}

/// `train_cfg.rpn_proposal` and `test_cfg.rpn`.
public struct ProposalConfiguration: Equatable, Sendable {
  public var nmsPre = 2000
  public var maxPerImg = 1000
  public var nms = NMSConfiguration()
  public var minBBoxSize: Float = 0

  public init() {}
}

/// `model.rpn_head`, type `RPNHead`, with `train_cfg.rpn`, `train_cfg.rpn_proposal` and `test_cfg.rpn`.
public struct RPNHeadConfiguration: Equatable, Sendable {
  public var inChannels = 256
  public var featChannels = 256
  public var anchorGenerator = AnchorGeneratorConfiguration()
  public var bboxCoder = BoxCoderConfiguration()
  public var lossCls = ClassificationLossConfiguration()
  public var lossBBox = BoxLossConfiguration()
  public var assigner = AssignerConfiguration()
  public var sampler = SamplerConfiguration()
  /// Below 0: every valid anchor takes part.
  public var allowedBorder: Float = -1
  /// At most 0: weight 1 for positives.
  public var posWeight: Float = -1
  public var trainProposals = ProposalConfiguration()
  public var testProposals = ProposalConfiguration()

  public init() {}
}

/// `bbox_roi_extractor`, type `SingleRoIExtractor` with `RoIAlign` or `RoIPool`.
public struct RoIExtractorConfiguration: Equatable, Sendable {
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

/// `bbox_head`, type `Shared2FCBBoxHead`.
public struct BBoxHeadConfiguration: Equatable, Sendable {
  public var inChannels = 256
  public var fcOutChannels = 1024
  public var roiFeatSize = 7
  public var numClasses = 80
  public var numSharedFcs = 2
  public var bboxCoder = BoxCoderConfiguration()
  public var regClassAgnostic = false
  public var lossCls = ClassificationLossConfiguration()
  public var lossBBox = BoxLossConfiguration()

  public init() {}
}

/// `model.roi_head`, type `StandardRoIHead`, with `train_cfg.rcnn` and `test_cfg.rcnn`.
public struct RoIHeadConfiguration: Equatable, Sendable {
  public var extractor = RoIExtractorConfiguration()
  public var bboxHead = BBoxHeadConfiguration()
  public var assigner = AssignerConfiguration()
  public var sampler = SamplerConfiguration()
  public var posWeight: Float = -1
  public var scoreThr: Float = 0.05
  public var nms = NMSConfiguration()
  public var maxPerImg = 100

  public init() {}
}

/// `model`, type `FasterRCNN`.
public struct TwoStageConfiguration: Equatable, Sendable {
  public var backbone = ResNetConfiguration()
  public var neck = FPNConfiguration()
  public var rpnHead = RPNHeadConfiguration()
  public var roiHead = RoIHeadConfiguration()
  /// `mpi.keep_levels_in_graph`: a level without RoIs still gets a gradient, of exact zeros.
  public var keepLevelsInGraph = true
  /// `mpi.loss_normalizer`: sample counts are summed over all ranks (`global`), or each rank divides by its own.
  public var normalizesLossesGlobally = true

  public init() {}
}
