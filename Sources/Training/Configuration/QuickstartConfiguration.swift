import Foundation

/// The configuration that the program trains when it is given none: `configs/quickstart.yaml` below the current
/// directory, else the copy of it in this file.
public enum QuickstartConfiguration {
  public static let path = "configs/quickstart.yaml"

  /// - Throws: `ConfigurationError`.
  public static func read(options: [String] = []) throws -> ReadConfiguration {
    if FileManager.default.fileExists(atPath: path) { return try ReadConfiguration(file: path, options: options) }
    return try ReadConfiguration(text: text, name: "quickstart.yaml", options: options)
  }

  /// The text of `configs/quickstart.yaml`; a test compares them.
  public static let text = #"""
    # A small Faster R-CNN from scratch on the embedded shapes data set ('rcnn-train shapes work_dirs/shapes' writes it):
    # what './launch/quickstart' and 'rcnn-train' without arguments train. Made for 2 ranks of 2 images.
    model:
      type: FasterRCNN
      backbone:
        type: ResNet
        depth: 18
        base_channels: 32
        num_stages: 4
        out_indices: [0, 1, 2, 3]
        frozen_stages: -1
        norm_cfg: {type: GN, num_groups: 16, requires_grad: true}
        norm_eval: false
        zero_init_residual: false
      neck:
        type: FPN
        in_channels: [32, 64, 128, 256]
        out_channels: 64
        num_outs: 5
      rpn_head:
        type: RPNHead
        in_channels: 64
        feat_channels: 64
        anchor_generator: {type: AnchorGenerator, scales: [4], ratios: [0.5, 1.0, 2.0], strides: [4, 8, 16, 32, 64]}
        bbox_coder: {type: DeltaXYWHBBoxCoder, target_means: [0.0, 0.0, 0.0, 0.0], target_stds: [1.0, 1.0, 1.0, 1.0]}
        loss_cls: {type: CrossEntropyLoss, use_sigmoid: true, loss_weight: 1.0}
        loss_bbox: {type: L1Loss, loss_weight: 1.0}
      roi_head:
        type: StandardRoIHead
        bbox_roi_extractor:
          type: SingleRoIExtractor
          roi_layer: {type: RoIAlign, output_size: 7, sampling_ratio: 0}
          out_channels: 64
          featmap_strides: [4, 8, 16, 32]
          finest_scale: 28
        bbox_head:
          type: Shared2FCBBoxHead
          in_channels: 64
          fc_out_channels: 256
          roi_feat_size: 7
          num_classes: 5
          bbox_coder: {type: DeltaXYWHBBoxCoder, target_means: [0.0, 0.0, 0.0, 0.0], target_stds: [0.1, 0.1, 0.2, 0.2]}
          reg_class_agnostic: false
          loss_cls: {type: CrossEntropyLoss, use_sigmoid: false, loss_weight: 1.0}
          loss_bbox: {type: L1Loss, loss_weight: 1.0}
      train_cfg:
        rpn:
          assigner: {type: MaxIoUAssigner, pos_iou_thr: 0.7, neg_iou_thr: 0.3, min_pos_iou: 0.3, match_low_quality: true}
          sampler: {type: RandomSampler, num: 64, pos_fraction: 0.5, add_gt_as_proposals: false}
          allowed_border: -1
          pos_weight: -1
        rpn_proposal: {nms_pre: 500, max_per_img: 200, nms: {type: nms, iou_threshold: 0.7}, min_bbox_size: 0}
        rcnn:
          assigner: {type: MaxIoUAssigner, pos_iou_thr: 0.5, neg_iou_thr: 0.5, min_pos_iou: 0.5, match_low_quality: false}
          sampler: {type: RandomSampler, num: 64, pos_fraction: 0.25, add_gt_as_proposals: true}
          pos_weight: -1
      test_cfg:
        rpn: {nms_pre: 300, max_per_img: 100, nms: {type: nms, iou_threshold: 0.7}, min_bbox_size: 0}
        rcnn: {score_thr: 0.05, nms: {type: nms, iou_threshold: 0.5}, max_per_img: 100}

    data:
      samples_per_gpu: 2
      workers_per_gpu: 1
      train:
        type: CocoDataset
        ann_file: work_dirs/shapes/annotations/instances_train.json
        img_prefix: work_dirs/shapes/train
        classes: &classes [circle, rectangle, triangle, star, ring]
        pipeline:
          - {type: LoadImageFromFile}
          - {type: LoadAnnotations, with_bbox: true}
          - {type: Resize, img_scale: [224, 224], keep_ratio: true}
          - {type: RandomFlip, flip_ratio: 0.5}
          - {type: Normalize, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], to_rgb: true}
          - {type: Pad, size_divisor: 32}
          - {type: DefaultFormatBundle}
          - {type: Collect, keys: [img, gt_bboxes, gt_labels]}
      val: &val
        type: CocoDataset
        ann_file: work_dirs/shapes/annotations/instances_val.json
        img_prefix: work_dirs/shapes/val
        classes: *classes
        pipeline:
          - {type: LoadImageFromFile}
          - type: MultiScaleFlipAug
            img_scale: [224, 224]
            flip: false
            transforms:
              - {type: Resize, keep_ratio: true}
              - {type: RandomFlip}
              - {type: Normalize, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], to_rgb: true}
              - {type: Pad, size_divisor: 32}
              - {type: ImageToTensor, keys: [img]}
              - {type: Collect, keys: [img]}
      test: *val

    optimizer: {type: SGD, lr: 0.015, momentum: 0.9, weight_decay: 0.0001}
    optimizer_config: {grad_clip: {max_norm: 10, norm_type: 2}}
    lr_config: {policy: step, warmup: linear, warmup_iters: 200, warmup_ratio: 0.001, step: [8, 11]}
    runner: {type: EpochBasedRunner, max_epochs: 12}
    auto_scale_lr: {enable: true, base_batch_size: 4}
    evaluation: {interval: 4, metric: bbox, classwise: true}
    checkpoint_config: {interval: 4, max_keep_ckpts: 3}
    log_config: {interval: 50, hooks: [{type: TextLoggerHook}]}
    workflow: [[train, 1]]

    """#
}
