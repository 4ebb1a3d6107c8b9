import Detection

/// Values that are right by themselves and that the rest of the configuration forbids, or that would end in numbers that
/// nothing can be computed with.
extension FittingCheck {
  /// - Throws: `ConfigurationError` at the value.
  func values(_ run: RunConfiguration) throws {
    try sizes(run.model)
    try classWeights(run.model)
    try limits(run.model)
    let largest = 1024.0
    guard run.mpi.bucketSizeMB <= largest else {
      throw error("mpi.bucket_size_mb", "is \(run.mpi.bucketSizeMB), expected at most \(Int(largest)), in MiB")
    }
  }

  /// Sizes whose products are still numbers of bytes that a machine could have.
  private func sizes(_ model: TwoStageConfiguration) throws {
    let (neck, head) = (model.neck, model.roiHead.bboxHead)
    for (path, value, largest) in [
      ("model.backbone.base_channels", model.backbone.baseChannels, 1 << 14),
      ("model.neck.out_channels", neck.outChannels, 1 << 14),
      ("model.neck.num_outs", neck.numOuts, 16), ("model.rpn_head.feat_channels", model.rpnHead.featChannels, 1 << 14),
      ("model.roi_head.bbox_head.fc_out_channels", head.fcOutChannels, 1 << 16),
      ("model.roi_head.bbox_head.num_classes", head.numClasses, 1 << 16),
      ("model.roi_head.bbox_head.roi_feat_size", head.roiFeatSize, 1 << 8),
      ("model.train_cfg.rpn.sampler.num", model.rpnHead.sampler.num, 1 << 24),
      ("model.train_cfg.rcnn.sampler.num", model.roiHead.sampler.num, 1 << 24),
    ] where value > largest {
      throw error(path, "is \(value), expected at most \(largest)")
    }
  }

  /// A weight for each score of the softmax (the background is the last), or the one of a sigmoid's positives.
  private func classWeights(_ model: TwoStageConfiguration) throws {
    let (rpn, head) = (model.rpnHead.lossCls, model.roiHead.bboxHead)
    try classWeight(
      rpn.classWeight, count: rpn.useSigmoid ? 1 : 2, "model.rpn_head.loss_cls.class_weight",
      rpn.useSigmoid ? "of the objects, as with use_sigmoid" : "for objects and one for the background")
    try classWeight(
      head.lossCls.classWeight, count: head.numClasses + 1, "model.roi_head.bbox_head.loss_cls.class_weight",
      "for each of the \(head.numClasses) classes of num_classes, and the background's at the end")
  }

  private func classWeight(_ weights: [Float]?, count: Int, _ path: String, _ meaning: String) throws {
    guard let weights else { return }
    guard weights.count == count else {
      let numbers = count == 1 ? "1 number" : "\(count) numbers"
      throw error(path, "has \(weights.count) numbers, expected \(numbers): one \(meaning)")
    }
    guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw error(path, "is \(weights), expected numbers from 0 on")
    }
  }

  /// mmdetection 2.11 cuts the proposals with `[:max_per_img]`, so that 0 would leave none and -1 all but the worst.
  /// (`test_cfg.rcnn.max_per_img` is another matter: 0 and less mean all there.)
  private func limits(_ model: TwoStageConfiguration) throws {
    for (path, limits) in [
      ("model.train_cfg.rpn_proposal", model.rpnHead.trainProposals),
      ("model.test_cfg.rpn", model.rpnHead.testProposals),
    ] where limits.maxPerImg < 1 {
      throw error("\(path).max_per_img", "is \(limits.maxPerImg), expected a number from 1 on")
    }
  }
}
