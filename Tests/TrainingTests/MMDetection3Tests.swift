import Foundation
import Testing
import Training

/// Configurations in mmdetection 3's words, beside the same in 2.11's.
@Suite struct MMDetection3Tests {
  private static let model = """
    model:
      type: FasterRCNN
      PREPROCESSOR
      backbone: {type: ResNet, depth: 18, base_channels: 16, norm_cfg: {type: BN, requires_grad: false}PRETRAINED}
      neck: {type: FPN, in_channels: [16, 32, 64, 128], out_channels: 32, num_outs: 5}
      rpn_head: {type: RPNHead, in_channels: 32, feat_channels: 32, anchor_generator: {type: AnchorGenerator, scales: [4],
        ratios: [0.5, 1.0, 2.0], strides: [4, 8, 16, 32, 64]}}
      roi_head: {type: StandardRoIHead, bbox_roi_extractor: {type: SingleRoIExtractor, roi_layer: {type: RoIAlign,
        output_size: 7, sampling_ratio: 0}, out_channels: 32, featmap_strides: [4, 8, 16, 32]}, bbox_head: {type:
        Shared2FCBBoxHead, in_channels: 32, fc_out_channels: 128, roi_feat_size: 7, num_classes: 2}}
      train_cfg:
        rpn: {assigner: {type: MaxIoUAssigner, pos_iou_thr: 0.7, neg_iou_thr: 0.3, min_pos_iou: 0.3, ignore_iof_thr: -1},
          sampler: {type: RandomSampler, num: 256, pos_fraction: 0.5, add_gt_as_proposals: false}}
        rpn_proposal: {nms_pre: 2000, max_per_img: 1000, nms: {type: nms, iou_threshold: 0.7}, min_bbox_size: 0}
        rcnn: {assigner: {type: MaxIoUAssigner, pos_iou_thr: 0.5, neg_iou_thr: 0.5, min_pos_iou: 0.5, match_low_quality:
          false, ignore_iof_thr: -1}, sampler: {type: RandomSampler, num: 512, pos_fraction: 0.25}}
      test_cfg:
        rpn: {nms_pre: 1000, max_per_img: 1000, nms: {type: nms, iou_threshold: 0.7}, min_bbox_size: 0}
        rcnn: {score_thr: 0.05, nms: {type: nms, iou_threshold: 0.5}, max_per_img: 100}

    """

  private static let newer =
    model.replacingOccurrences(
      of: "PREPROCESSOR",
      with: """
        data_preprocessor: {type: DetDataPreprocessor, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375],
            bgr_to_rgb: true, pad_size_divisor: 32}
        """
    ).replacingOccurrences(of: "PRETRAINED", with: ", init_cfg: {type: Pretrained, checkpoint: some.pth}")
      + """
      default_scope: mmdet
      train_dataloader:
        batch_size: 4
        num_workers: 2
        persistent_workers: true
        sampler: {type: DefaultSampler, shuffle: false}
        batch_sampler: {type: AspectRatioBatchSampler}
        dataset:
          type: CocoDataset
          data_root: data/
          ann_file: train.json
          data_prefix: {img: train/}
          metainfo: {classes: [cat, dog], palette: [[1, 2, 3], [4, 5, 6]]}
          filter_cfg: {filter_empty_gt: true, min_size: 32}
          backend_args: null
          pipeline:
          - {type: LoadImageFromFile, backend_args: null}
          - {type: LoadAnnotations, with_bbox: true}
          - {type: RandomChoiceResize, scales: [[320, 240], [160, 120], [200, 100]], keep_ratio: true}
          - {type: RandomFlip, prob: 0.25}
          - {type: PackDetInputs}
      val_dataloader:
        batch_size: 1
        num_workers: 2
        drop_last: false
        sampler: {type: DefaultSampler, shuffle: false}
        dataset:
          type: CocoDataset
          data_root: data/
          ann_file: val.json
          data_prefix: {img: val/}
          metainfo: {classes: [cat, dog]}
          test_mode: true
          pipeline:
          - {type: LoadImageFromFile}
          - {type: Resize, scale: [320, 240]}
          - {type: LoadAnnotations, with_bbox: true}
          - {type: PackDetInputs, meta_keys: [img_id]}
      val_evaluator: {type: CocoMetric, ann_file: data/val.json, metric: bbox, classwise: true, format_only: false}
      train_cfg: {type: EpochBasedTrainLoop, max_epochs: 12, val_interval: 3}
      val_cfg: {type: ValLoop}
      test_cfg: {type: TestLoop}
      param_scheduler:
      - {type: LinearLR, start_factor: 0.001, by_epoch: false, begin: 0, end: 500}
      - {type: MultiStepLR, begin: 0, end: 12, by_epoch: true, milestones: [8, 11], gamma: 0.2}
      optim_wrapper:
        type: OptimWrapper
        optimizer: {type: SGD, lr: 0.02, momentum: 0.9, weight_decay: 0.0001}
        paramwise_cfg: {norm_decay_mult: 0}
        clip_grad: {max_norm: 35, norm_type: 2}
      default_hooks:
        timer: {type: IterTimerHook}
        logger: {type: LoggerHook, interval: 7}
        param_scheduler: {type: ParamSchedulerHook}
        checkpoint: {type: CheckpointHook, interval: 2, max_keep_ckpts: 3, save_best: coco/bbox_mAP}
        sampler_seed: {type: DistSamplerSeedHook}
      env_cfg: {cudnn_benchmark: false}
      randomness: {seed: 5}
      load_from: null
      resume: false
      """

  private static let older =
    model.replacingOccurrences(of: "PREPROCESSOR", with: "pretrained: some.pth").replacingOccurrences(
      of: "PRETRAINED", with: "")
      + """
      data:
        samples_per_gpu: 4
        workers_per_gpu: 2
        train:
          type: CocoDataset
          ann_file: data/train.json
          img_prefix: data/train/
          classes: [cat, dog]
          pipeline:
          - type: LoadImageFromFile
          - {type: LoadAnnotations, with_bbox: true}
          - {type: Resize, img_scale: [[320, 240], [160, 120], [200, 100]], multiscale_mode: value, keep_ratio: true}
          - {type: RandomFlip, flip_ratio: 0.25}
          - {type: Normalize, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], to_rgb: true}
          - {type: Pad, size_divisor: 32}
          - type: DefaultFormatBundle
          - {type: Collect, keys: [img, gt_bboxes, gt_labels]}
        val:
          type: CocoDataset
          ann_file: data/val.json
          img_prefix: data/val/
          classes: [cat, dog]
          pipeline:
          - type: LoadImageFromFile
          - type: MultiScaleFlipAug
            img_scale: [320, 240]
            flip: false
            transforms:
            - {type: Resize, keep_ratio: false}
            - {type: Normalize, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], to_rgb: true}
            - {type: Pad, size_divisor: 32}
            - {type: ImageToTensor, keys: [img]}
            - {type: Collect, keys: [img]}
      evaluation: {interval: 3, metric: bbox, classwise: true, save_best: bbox_mAP}
      optimizer: {type: SGD, lr: 0.02, momentum: 0.9, weight_decay: 0.0001, paramwise_cfg: {norm_decay_mult: 0}}
      optimizer_config: {grad_clip: {max_norm: 35, norm_type: 2}}
      lr_config: {policy: step, warmup: linear, warmup_iters: 500, warmup_ratio: 0.001, step: [8, 11], gamma: 0.2}
      runner: {type: EpochBasedRunner, max_epochs: 12}
      checkpoint_config: {interval: 2, max_keep_ckpts: 3}
      log_config: {interval: 7}
      seed: 5
      mpi: {shuffle: false}
      """

  @Test func sameRunAsInOlderWords() throws {
    let newer = try ReadConfiguration(text: Self.newer, name: "c.yaml")
    #expect(try newer.run == ReadConfiguration(text: Self.older, name: "c.yaml").run)
    #expect(newer.notices.contains { $0.contains("'train_dataloader' is mmdetection 3's") })
    // What a checkpoint keeps is in the older words, and reads as the same run.
    #expect(try ReadConfiguration(text: newer.resolved, name: "c.yaml").run == newer.run)
  }

  @Test func schedulesAndLoopsThatAreAbsent() throws {
    let text = Self.newer.replacing(/param_scheduler:\n-.*\n-.*\n/, with: "")
      .replacing("val_evaluator:", with: "other:").replacing(
        "filter_cfg: {filter_empty_gt: true, min_size: 32}", with: ""
      )
      .replacing(", val_interval: 3", with: "").replacing(", save_best: coco/bbox_mAP", with: "")
    let read = try ReadConfiguration(text: text, name: "c.yaml")
    #expect(read.run.learningRate.policy == .fixed)
    #expect(read.run.learningRate.warmup == nil)
    #expect(read.run.evaluation == nil)
    #expect(!read.run.data.train.filterEmptyGt)
    #expect(
      read.notices.contains {
        $0.contains("'data.train_dataloader.dataset.filter_cfg.min_size' is 32")
          || $0.contains("filter_cfg.min_size' is 32")
      })
  }

  @Test(arguments: [
    ("type: LinearLR", "type: OneCycleLR", "'param_scheduler.type' is 'OneCycleLR'"),
    ("type: OptimWrapper", "type: ApexOptimWrapper", "'optim_wrapper.type'"),
    ("type: CocoMetric", "type: VOCMetric", "'val_evaluator.type' is VOCMetric"),
    ("resume: false", "resume: true", "'resume' is not followed here"),
    ("type: EpochBasedTrainLoop", "type: OwnLoop", "'train_cfg.type' is OwnLoop"),
    ("batch_size: 4", "batch_sise: 4", "unknown key 'batch_sise' in 'train_dataloader'"),
    ("randomness: {seed: 5}", "optimizer: {type: SGD}", "use the keys of one of them"),
    ("type: DetDataPreprocessor", "type: Own", "'model.data_preprocessor.type' is Own"),
    ("prob: 0.25", "prob: 2", "flip_ratio' is 2"),
    ("begin: 0, end: 12", "begin: 1, end: 12", "'param_scheduler.begin' is 1"),
  ]) func whatHasNoCounterpartIsRefusedAtItsPlace(found: String, replacement: String, message: String) throws {
    let parts = Self.newer.components(separatedBy: found)
    try #require(parts.count == 2)
    let error = try #require(throws: ConfigurationError.self) {
      _ = try ReadConfiguration(text: parts.joined(separator: replacement), name: "c.yaml")
    }
    let line = parts[0].components(separatedBy: "\n").count
    #expect(error.description.contains(message), "\(error)")
    #expect(error.description.contains("c.yaml:\(line):") || message.contains("keys of one"), "\(error)")
  }
}
