import Detection
import Primitives
import TestSupport
import Testing

/// A case of `bbox_head.h5`.
extension GoldenCase {
  /// What the reference's own assigner and sampler chose of each image; ours must choose the same.
  func sampledRoIs() throws -> [SamplingResult] {
    try (0..<(try #require(integer("num_imgs")))).map { try sampledRoIs(ofImage: $0) }
  }

  private func sampledRoIs(ofImage image: Int) throws -> SamplingResult {
    var (assigner, sampler) = (MaxIoUAssignerConfiguration(), RandomSamplerConfiguration())
    (assigner.posIoUThr, assigner.negIoUThr, assigner.minPosIoU) = (0.5, .init(high: 0.5), 0.5)
    assigner.matchLowQuality = false
    (sampler.num, sampler.addGtAsProposals) = (100000, flag("add_gt_as_proposals") ?? false)
    let proposals = try boxes("inputs/img\(image)_proposals")
    let gtBoxes = try boxes("inputs/img\(image)_gt_bboxes")
    let gtLabels = try integers("inputs/img\(image)_gt_labels")
    var random = KeyedRandom(seed: 1, purpose: .test)
    let assigned = MaxIoUAssigner(assigner).assign(proposals, gtBoxes: gtBoxes, gtLabels: gtLabels, gtBoxesIgnore: [])
    let result = try RandomSampler(sampler).sample(
      SamplingCandidates(assigned: assigned, boxes: proposals, gtBoxes: gtBoxes, gtLabels: gtLabels), random: &random)
    #expect(try result.posInds == integers("inputs/img\(image)_pos_inds"), "\(self)")
    #expect(try result.negInds == integers("inputs/img\(image)_neg_inds"), "\(self)")
    #expect(try result.posGtLabels == integers("inputs/img\(image)_pos_gt_labels"), "\(self)")
    return result
  }

  var posWeight: Float { Float(number("pos_weight") ?? -1) }

  func bboxHead() throws -> BBoxHeadConfiguration {
    let settings = try settings()
    var configuration = BBoxHeadConfiguration()
    configuration.numClasses = try #require(integer("num_classes"))
    configuration.bboxCoder = .deltaXYWH(settings.part("bbox_coder").coder)
    configuration.inChannels = try #require(settings.integer("in_channels"))
    configuration.roiFeatSize = try #require(settings.integer("roi_feat_size"))
    configuration.regClassAgnostic = try #require(flag("reg_class_agnostic") as Bool?)
    configuration.regDecodedBBox = flag("reg_decoded_bbox") ?? false
    configuration.lossBBox = settings.part("loss_bbox").boxLoss
    configuration.lossCls = settings.part("loss_cls").classLoss
    (configuration.withCls, configuration.withReg) = (flag("with_cls") ?? true, flag("with_reg") ?? true)
    let isDouble = settings.values["type"] as? String == "DoubleConvFCBBoxHead"
    configuration.layers = isDouble ? .doubleConvFC(try doubleHead(settings)) : .convFC(convFC(settings))
    return configuration
  }

  private func convFC(_ settings: Settings) -> ConvFCConfiguration {
    func branch(_ name: String) -> ConvFCConfiguration.Branch {
      .init(convs: integer("num_\(name)_convs") ?? 0, fcs: integer("num_\(name)_fcs") ?? 0)
    }
    var layers = ConvFCConfiguration()
    (layers.shared, layers.cls, layers.reg) = (branch("shared"), branch("cls"), branch("reg"))
    layers.convOutChannels = settings.integer("conv_out_channels") ?? layers.convOutChannels
    layers.fcOutChannels = settings.integer("fc_out_channels") ?? layers.fcOutChannels
    (layers.norm, layers.convolution) = (settings.norm("norm_cfg"), settings.convolution)
    layers.withAvgPool = settings.flag("with_avg_pool") ?? false
    return layers
  }

  private func doubleHead(_ settings: Settings) throws -> DoubleConvFCConfiguration {
    var layers = DoubleConvFCConfiguration()
    (layers.numConvs, layers.numFcs) = (try #require(integer("num_convs")), try #require(integer("num_fcs")))
    layers.convOutChannels = settings.integer("conv_out_channels") ?? layers.convOutChannels
    layers.fcOutChannels = settings.integer("fc_out_channels") ?? layers.fcOutChannels
    layers.norm = settings.norm("norm_cfg") ?? layers.norm
    return layers
  }
}
