import Detection
import Foundation
import Layers
import Primitives
import TestSupport

extension GoldenCase {
  /// The first four columns of a `[…, 4 or 5]` data set.
  func boxes(_ dataset: String) throws -> [Box] {
    let (values, width) = (try floats(dataset), try shape(dataset).last ?? 4)
    return boxesOfRows(values, width: width)
  }

  /// The settings in the attribute `cfg` of a group.
  func settings(ofGroup group: String) throws -> Settings {
    let object = try JSONSerialization.jsonObject(with: Data((string("cfg", of: group) ?? "{}").utf8))
    return Settings(values: object as? [String: Any] ?? [:])
  }

  func boxesIfAny(_ dataset: String) throws -> [Box] { has(dataset) ? try boxes(dataset) : [] }

  func flags(_ dataset: String) throws -> [Bool] { try integers(dataset).map { $0 != 0 } }

  /// The rows of a `[n, 2 or 3]` data set as (height, width).
  func sizes(_ dataset: String) throws -> [ImageSize] {
    let (values, width) = (try integers(dataset), try shape(dataset).last ?? 2)
    return stride(from: 0, to: values.count, by: width).map { ImageSize(height: values[$0], width: values[$0 + 1]) }
  }

  /// The images' facts in a case of `rpn.h5`.
  func metas() throws -> [ImageMeta] {
    try zip(sizes("inputs/img_shapes"), sizes("inputs/pad_shapes")).map {
      ImageMeta(imageID: 1, imgShape: $0, padShape: $1)
    }
  }

  /// The images' objects in a case of `rpn.h5`.
  func targets() throws -> [ImageTargets] {
    try sizes("inputs/img_shapes").indices.map {
      ImageTargets(
        gtBoxes: try boxes("inputs/gt_bboxes_\($0)"), gtLabels: [],
        gtBoxesIgnore: try boxesIfAny("inputs/gt_bboxes_ignore_\($0)"))
    }
  }

  /// A part of the configuration, for example `train_cfg`, `assigner`.
  func settings(_ path: String...) throws -> Settings {
    var settings = Settings(values: try configuration())
    for key in path { settings = settings.part(key) }
    return settings
  }
}

/// A dictionary of a golden case's configuration, with mmdetection's keys.
struct Settings {
  let values: [String: Any]

  func part(_ key: String) -> Settings { Settings(values: values[key] as? [String: Any] ?? [:]) }
  func number(_ key: String) -> Float? { (values[key] as? Double).map { Float($0) } }
  func integer(_ key: String) -> Int? { values[key] as? Int }
  func flag(_ key: String) -> Bool? { values[key] as? Bool }
  func numbers(_ key: String) -> [Float]? { (values[key] as? [Double])?.map { Float($0) } }

  var assigner: MaxIoUAssignerConfiguration {
    var result = MaxIoUAssignerConfiguration()
    result.posIoUThr = number("pos_iou_thr") ?? result.posIoUThr
    if let limits = numbers("neg_iou_thr") {
      result.negIoUThr = .init(low: limits[0], high: limits[1])
    } else if let limit = number("neg_iou_thr") {
      result.negIoUThr = .init(high: limit)
    }
    result.minPosIoU = number("min_pos_iou") ?? result.minPosIoU
    result.gtMaxAssignAll = flag("gt_max_assign_all") ?? result.gtMaxAssignAll
    result.ignoreIoFThr = number("ignore_iof_thr") ?? result.ignoreIoFThr
    result.ignoreWrtCandidates = flag("ignore_wrt_candidates") ?? result.ignoreWrtCandidates
    result.matchLowQuality = flag("match_low_quality") ?? result.matchLowQuality
    return result
  }

  var sampler: SamplerConfiguration {
    guard values["type"] as? String != "PseudoSampler" else { return .pseudo }
    var result = RandomSamplerConfiguration()
    result.num = integer("num") ?? result.num
    result.posFraction = values["pos_fraction"] as? Double ?? result.posFraction
    result.negPosUB = values["neg_pos_ub"] as? Double ?? result.negPosUB
    result.addGtAsProposals = flag("add_gt_as_proposals") ?? result.addGtAsProposals
    return .random(result)
  }

  /// `sampler` with another number.
  func randomSampler(num: Int) throws -> RandomSamplerConfiguration {
    guard case .random(var result) = part("sampler").sampler else { throw GoldenError("no RandomSampler") }
    result.num = num
    return result
  }

  var coder: DeltaXYWHBBoxCoderConfiguration {
    var result = DeltaXYWHBBoxCoderConfiguration()
    result.targetMeans = numbers("target_means") ?? result.targetMeans
    result.targetStds = numbers("target_stds") ?? result.targetStds
    result.clipBorder = flag("clip_border") ?? result.clipBorder
    result.isLegacy = values["type"] as? String == "LegacyDeltaXYWHBBoxCoder"
    return result
  }

  /// `conv_cfg`.
  var convolution: ConvolutionConfiguration {
    part("conv_cfg").values["type"] as? String == "ConvWS" ? .convWS : .conv2D
  }

  /// A `norm_cfg`, if it is there.
  func norm(_ key: String) -> NormConfiguration? {
    let part = part(key)
    switch part.values["type"] as? String {
    case "GN": return .group(groups: part.integer("num_groups") ?? 0, requiresGrad: true)
    case "BN": return .batch(requiresGrad: true)
    default: return nil
    }
  }

  /// `loss_bbox`.
  var boxLoss: BoxRegressionLoss {
    var result = BoxRegressionLoss()
    switch values["type"] as? String {
    case "SmoothL1Loss": result.kind = .smoothL1(beta: number("beta") ?? 1)
    case "MSELoss": result.kind = .mse
    case "IoULoss": result.kind = .ofBoxes(.iou(linear: flag("linear") ?? false), eps: 1e-6)
    case "GIoULoss": result.kind = .ofBoxes(.giou, eps: 1e-6)
    case "DIoULoss": result.kind = .ofBoxes(.diou, eps: 1e-6)
    case "CIoULoss": result.kind = .ofBoxes(.ciou, eps: 1e-6)
    case "BoundedIoULoss": result.kind = .ofBoxes(.boundedIoU(beta: 0.2), eps: 1e-3)
    case "BalancedL1Loss": result.kind = .balancedL1(alpha: 0.5, gamma: 1.5, beta: 1)
    default: break
    }
    result.lossWeight = number("loss_weight") ?? result.lossWeight
    return result
  }

  /// `loss_cls`.
  var classLoss: ClassificationLoss {
    var result = ClassificationLoss(flag("use_sigmoid") == true ? .sigmoid : .softmax)
    if values["type"] as? String == "FocalLoss" {
      result.kind = .focal(gamma: values["gamma"] as? Double ?? 2, alpha: values["alpha"] as? Double ?? 0.25)
    }
    result.lossWeight = number("loss_weight") ?? result.lossWeight
    result.classWeight = numbers("class_weight")
    return result
  }

  /// With whole strides, as the RPN's cases have them.
  var anchorGenerator: AnchorGeneratorConfiguration {
    var result = AnchorGeneratorConfiguration()
    result.strides = numbers("strides")?.map { (Int($0), Int($0)) } ?? result.strides
    result.ratios = numbers("ratios") ?? result.ratios
    result.scales = numbers("scales") ?? result.scales
    if let base = integer("octave_base_scale"), let count = integer("scales_per_octave") {
      result.scales = (0..<count).map { Float(base) * powf(2, Float($0) / Float(count)) }
    }
    result.baseSizes = numbers("base_sizes")
    result.scaleMajor = flag("scale_major") ?? true
    result.centerOffset = number("center_offset") ?? 0
    result.centers = (values["centers"] as? [[Double]])?.map { (Float($0[0]), Float($0[1])) }
    result.isLegacy = values["type"] as? String == "LegacyAnchorGenerator"
    return result
  }

  /// Of a whole `RPNHead` with its `train_cfg`.
  var rpnHead: RPNHeadConfiguration {
    var result = RPNHeadConfiguration()
    let training = part("train_cfg")
    result.anchorGenerator = part("anchor_generator").anchorGenerator
    result.bboxCoder = .deltaXYWH(part("bbox_coder").coder)
    result.inChannels = integer("in_channels") ?? result.inChannels
    result.featChannels = integer("feat_channels") ?? result.featChannels
    result.lossCls = part("loss_cls").classLoss
    result.regDecodedBBox = flag("reg_decoded_bbox") ?? false
    result.lossBBox = part("loss_bbox").boxLoss
    result.assigner = .maxIoU(training.part("assigner").assigner)
    result.sampler = result.lossCls.isSampled ? training.part("sampler").sampler : .pseudo
    result.allowedBorder = training.number("allowed_border") ?? result.allowedBorder
    result.posWeight = training.number("pos_weight") ?? result.posWeight
    return result
  }

  var proposals: ProposalConfiguration {
    var result = ProposalConfiguration()
    result.nmsPre = integer("nms_pre") ?? result.nmsPre
    result.maxPerImg = integer("max_per_img") ?? result.maxPerImg
    result.nms = part("nms").nms
    result.minBBoxSize = number("min_bbox_size") ?? result.minBBoxSize
    return result
  }

  var nms: NMSConfiguration {
    var result = NMSConfiguration()
    result.kind = (values["type"] as? String).flatMap(NMSConfiguration.Kind.init) ?? .nms
    result.iouThreshold = number("iou_threshold") ?? result.iouThreshold
    result.classAgnostic = flag("class_agnostic") ?? result.classAgnostic
    result.splitThr = integer("split_thr") ?? result.splitThr
    return result
  }
}

func boxesOfRows(_ values: [Float], width: Int = 4) -> [Box] {
  stride(from: 0, to: values.count, by: width).map {
    Box(values[$0], values[$0 + 1], values[$0 + 2], values[$0 + 3])
  }
}

func coordinates(_ boxes: [Box]) -> [Float] { boxes.flatMap { [$0.x1, $0.y1, $0.x2, $0.y2] } }

/// Boxes with whole and half coordinates, so that there are ties, of which some have no extent.
func randomBoxes(_ count: Int, within size: Float = 40, _ random: inout KeyedRandom) -> [Box] {
  func coordinate() -> Float { (random.uniform() * size * 2).rounded(.down) / 2 }
  return (0..<count).map { _ in
    let (x, y) = (coordinate(), coordinate())
    return Box(x, y, x + coordinate() / 2, y + coordinate() / 2)
  }
}
