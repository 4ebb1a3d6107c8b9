import COCO
import Foundation
import Testing
import Training

/// A run that takes seconds: a small data set, and a detector of some ten thousand parameters.
struct TinyRun {
  let folder: TemporaryFolder
  let program: Program

  /// Writes `tiny.yaml` and, without `images`, a small data set of shapes.
  init(images: [BoxedImage]? = nil) throws {
    folder = try TemporaryFolder()
    program = Program(folder: folder)
    if let images {
      try BoxedImage.write(images, to: folder)
    } else {
      try ShapesDataset.write(to: folder.path("data"), trainCount: 22, valCount: 6, seed: 3)
    }
    try folder.write(Self.configuration, to: "tiny.yaml")
  }

  /// Trains into a work directory of this name.
  @discardableResult
  func train(
    _ workDir: String, ranks: Int, batch: Int, iterations: Int, options: [String] = [], arguments: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> TrainingLog {
    try program.succeed(
      command(workDir, ranks: ranks, batch: batch, iterations: iterations, options: options) + arguments,
      ranks: ranks, sourceLocation: sourceLocation)
    return try TrainingLog(newestIn: folder.path(workDir))
  }

  func command(
    _ workDir: String, ranks: Int, batch: Int, iterations: Int, options: [String] = []
  ) -> [String] {
    ["train", "tiny.yaml", "--work-dir", workDir, "--cfg-options", "data.samples_per_gpu=\(batch / ranks)"]
      + ["runner.max_iters=\(iterations)"] + options
  }

  func checkpoint(_ name: String) throws -> Checkpoint { try Checkpoint(image: folder.read(name), name: name) }

  /// Options that make the detector of `tiny.yaml` a cascade of three stages.
  static var cascade: [String] {
    let stages = [0.5, 0.6, 0.7].map { threshold in
      "{assigner: {type: MaxIoUAssigner, pos_iou_thr: \(threshold), neg_iou_thr: \(threshold), match_low_quality: false}, "
        + "sampler: {type: RandomSampler, num: 16, pos_fraction: 0.25}, pos_weight: 0.3}"
    }
    return [
      "model.type=CascadeRCNN", "model.roi_head.type=CascadeRoIHead", "model.roi_head.num_stages=3",
      "model.roi_head.stage_loss_weights=[1, 0.5, 0.25]", "model.train_cfg.rcnn=[\(stages.joined(separator: ", "))]",
    ]
  }

  private static let configuration = """
    model:
      type: FasterRCNN
      backbone:
        type: ResNet
        depth: 18
        base_channels: 8
        num_stages: 4
        out_indices: [0, 1, 2, 3]
        frozen_stages: -1
        norm_cfg: {type: GN, num_groups: 4, requires_grad: true}
        norm_eval: false
      neck: {type: FPN, in_channels: [8, 16, 32, 64], out_channels: 16, num_outs: 5}
      rpn_head:
        type: RPNHead
        in_channels: 16
        feat_channels: 16
        anchor_generator: {type: AnchorGenerator, scales: [4], ratios: [0.5, 1.0, 2.0], strides: [4, 8, 16, 32, 64]}
        bbox_coder: {type: DeltaXYWHBBoxCoder, target_means: [0, 0, 0, 0], target_stds: [1.0, 1.0, 1.0, 1.0]}
        loss_cls: {type: CrossEntropyLoss, use_sigmoid: true, loss_weight: 1.0}
        loss_bbox: {type: L1Loss, loss_weight: 1.0}
      roi_head:
        type: StandardRoIHead
        bbox_roi_extractor:
          type: SingleRoIExtractor
          roi_layer: {type: RoIAlign, output_size: 7, sampling_ratio: 0}
          out_channels: 16
          featmap_strides: [4, 8, 16, 32]
          finest_scale: 8
        bbox_head:
          type: Shared2FCBBoxHead
          in_channels: 16
          fc_out_channels: 32
          roi_feat_size: 7
          num_classes: 5
          bbox_coder: {type: DeltaXYWHBBoxCoder, target_means: [0, 0, 0, 0], target_stds: [0.1, 0.1, 0.2, 0.2]}
          reg_class_agnostic: false
          loss_cls: {type: CrossEntropyLoss, use_sigmoid: false, loss_weight: 1.0}
          loss_bbox: {type: L1Loss, loss_weight: 1.0}
      train_cfg:
        rpn:
          assigner: {type: MaxIoUAssigner, pos_iou_thr: 0.7, neg_iou_thr: 0.3, min_pos_iou: 0.3}
          sampler: {type: RandomSampler, num: 32, pos_fraction: 0.5, add_gt_as_proposals: false}
          allowed_border: -1
          pos_weight: -1
        rpn_proposal: {nms_pre: 100, max_per_img: 40, nms: {type: nms, iou_threshold: 0.7}, min_bbox_size: 0}
        rcnn:
          assigner: {type: MaxIoUAssigner, pos_iou_thr: 0.5, neg_iou_thr: 0.5, min_pos_iou: 0.5, match_low_quality: false}
          sampler: {type: RandomSampler, num: 16, pos_fraction: 0.25, add_gt_as_proposals: true}
          pos_weight: -1
      test_cfg:
        rpn: {nms_pre: 100, max_per_img: 40, nms: {type: nms, iou_threshold: 0.7}, min_bbox_size: 0}
        rcnn: {score_thr: 0.05, nms: {type: nms, iou_threshold: 0.5}, max_per_img: 20}
    data:
      samples_per_gpu: 4
      workers_per_gpu: 1
      train:
        type: CocoDataset
        ann_file: data/annotations/instances_train.json
        img_prefix: data/train
        classes: [circle, rectangle, triangle, star, ring]
        pipeline:
          - {type: LoadImageFromFile}
          - {type: LoadAnnotations, with_bbox: true}
          - {type: Resize, img_scale: [128, 96], keep_ratio: true}
          - {type: RandomFlip, flip_ratio: 0.5}
          - {type: Normalize, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], to_rgb: true}
          - {type: Pad, size_divisor: 32}
          - {type: DefaultFormatBundle}
          - {type: Collect, keys: [img, gt_bboxes, gt_labels]}
      val: &val
        type: CocoDataset
        ann_file: data/annotations/instances_val.json
        img_prefix: data/val
        classes: [circle, rectangle, triangle, star, ring]
        pipeline:
          - {type: LoadImageFromFile}
          - type: MultiScaleFlipAug
            img_scale: [128, 96]
            flip: false
            transforms:
              - {type: Resize, keep_ratio: true}
              - {type: RandomFlip}
              - {type: Normalize, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], to_rgb: true}
              - {type: Pad, size_divisor: 32}
              - {type: ImageToTensor, keys: [img]}
              - {type: Collect, keys: [img]}
      test: *val
    optimizer: {type: SGD, lr: 0.01, momentum: 0.9, weight_decay: 0.0001}
    optimizer_config: {grad_clip: {max_norm: 10, norm_type: 2}}
    lr_config: {policy: step, warmup: linear, warmup_iters: 4, warmup_ratio: 0.1, step: [100]}
    runner: {type: EpochBasedRunner, max_iters: 10}
    evaluation: null
    checkpoint_config: {interval: 1000}
    log_config: {interval: 1, hooks: [{type: TextLoggerHook}]}
    workflow: [[train, 1]]

    """
}

/// The lines of a run's `.log.json`.
struct TrainingLog {
  /// The training lines, in order.
  let steps: [[String: Double]]
  /// The lines of evaluations during the training, in order.
  let validations: [[String: Double]]
  /// The log for people.
  let text: String

  init(newestIn folder: String) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".log.json") }
      .sorted()
    let path = "\(folder)/\(try #require(names.last))"
    text = try String(contentsOfFile: String(path.dropLast(".json".count)), encoding: .utf8)
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    let objects = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:] }
    func numbers(_ mode: String) -> [[String: Double]] {
      objects.filter { $0["mode"] as? String == mode }.map { $0.compactMapValues { ($0 as? NSNumber)?.doubleValue } }
    }
    (steps, validations) = (numbers("train"), numbers("val"))
  }

  /// Expects finite losses that agree within `tolerance` of the expected ones.
  func expectSameLosses(
    as other: ArraySlice<[String: Double]>, tolerance: Double = 1e-4, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(!steps.isEmpty && steps.count == other.count, "\(what)", sourceLocation: sourceLocation)
    for (mine, expected) in zip(steps, other) {
      let names = expected.keys.filter { $0.contains("loss") || $0.hasSuffix("acc") }.sorted()
      #expect(names.contains("loss") && names.count > 2, "\(what)", sourceLocation: sourceLocation)
      for name in names {
        guard let value = mine[name], let reference = expected[name], value.isFinite else {
          Issue.record("\(what): no finite \(name) in \(mine)", sourceLocation: sourceLocation)
          continue
        }
        if abs(value - reference) > tolerance * abs(reference) {
          let place = "\(what): \(name) at iter \(mine["iter"] ?? 0)"
          Issue.record("\(place) is \(value), not \(reference)", sourceLocation: sourceLocation)
        }
      }
    }
  }
}

/// Expects each array of a model to agree within `tolerance` of its largest magnitude.
func expectSameModel(
  _ actual: Checkpoint, _ expected: Checkpoint, tolerance: Float = 1e-4, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(!expected.model.isEmpty, "\(what)", sourceLocation: sourceLocation)
  #expect(actual.model.map(\.name) == expected.model.map(\.name), "\(what)", sourceLocation: sourceLocation)
  #expect(actual.model.map(\.shape) == expected.model.map(\.shape), "\(what)", sourceLocation: sourceLocation)
  for (mine, reference) in zip(actual.model, expected.model) {
    let largest = reference.values.reduce(0) { max($0, abs($1)) }
    let difference = zip(mine.values, reference.values).reduce(Float(0)) { worst, pair in
      let difference = abs(pair.0 - pair.1)
      return difference.isNaN ? .infinity : max(worst, difference)
    }
    if !(difference <= tolerance * largest) {
      Issue.record("\(what): \(mine.name) differs by \(difference) of \(largest)", sourceLocation: sourceLocation)
    }
  }
}
