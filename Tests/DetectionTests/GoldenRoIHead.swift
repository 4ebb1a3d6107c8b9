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
    let result = RandomSampler(sampler).sample(
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
    configuration.regClassAgnostic = try #require(flag("reg_class_agnostic"))
    configuration.regDecodedBBox = flag("reg_decoded_bbox") ?? false
    configuration.lossBBox = settings.part("loss_bbox").boxLoss
    if settings.values["type"] as? String == "BBoxHead" {
      var plain = PlainBBoxHeadConfiguration()
      plain.withAvgPool = try #require(settings.flag("with_avg_pool"))
      configuration.layers = .plain(plain)
      return configuration
    }
    var layers = SharedFCsConfiguration()
    layers.fcOutChannels = settings.integer("fc_out_channels") ?? 1024
    layers.numSharedFcs = try #require(integer("num_shared_fcs"))
    configuration.layers = .sharedFCs(layers)
    return configuration
  }
}
