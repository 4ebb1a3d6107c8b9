/// A configuration in which every key that is accepted stands, for a run of a second. Where keys exclude each other,
/// the others stand in `alternatives`.
enum EveryKeyConfiguration {
  static let text = """
    model:
      type: FasterRCNN
      pretrained: null
      backbone:
        type: ResNet
        depth: 18
        in_channels: 3
        base_channels: 8
        stem_channels: 8
        num_stages: 4
        strides: [1, 2, 2, 2]
        dilations: [1, 1, 1, 1]
        out_indices: [0, 1, 2, 3]
        style: pytorch
        deep_stem: false
        avg_down: false
        frozen_stages: 1
        conv_cfg: null
        norm_cfg: {type: BN, requires_grad: true, eps: 1.0e-05, momentum: 0.1}
        norm_eval: false
        dcn: null
        stage_with_dcn: [false, false, false, false]
        plugins: null
        with_cp: false
        zero_init_residual: false
      neck:
        type: FPN
        in_channels: [8, 16, 32, 64]
        out_channels: 16
        num_outs: 5
        start_level: 0
        end_level: -1
        add_extra_convs: false
        extra_convs_on_inputs: true
        relu_before_extra_convs: false
        no_norm_on_lateral: false
        conv_cfg: null
        norm_cfg: {type: GN, num_groups: 4, requires_grad: true}
        act_cfg: null
        upsample_cfg: {mode: nearest}
      rpn_head:
        type: RPNHead
        in_channels: 16
        feat_channels: 16
        num_convs: 1
        anchor_generator:
          type: AnchorGenerator
          scales: [3, 5]
          ratios: [0.5, 1.0, 2.0]
          strides: [4, 8, 16, 32, 64]
          base_sizes: [4, 8, 16, 32, 64]
          scale_major: true
          center_offset: 0.25
        bbox_coder: {type: DeltaXYWHBBoxCoder, target_means: [0.0, 0.0, 0.0, 0.0], target_stds: [1.0, 1.0, 1.0, 1.0],
            clip_border: true}
        reg_decoded_bbox: false
        loss_cls: {type: CrossEntropyLoss, use_sigmoid: true, use_mask: false, reduction: mean, class_weight: [1.5],
            loss_weight: 1.0}
        loss_bbox: {type: SmoothL1Loss, beta: 0.5, reduction: mean, loss_weight: 1.0}
      roi_head:
        type: StandardRoIHead
        bbox_roi_extractor:
          type: SingleRoIExtractor
          roi_layer: {type: RoIAlign, output_size: 7, sampling_ratio: 0, pool_mode: avg, aligned: true,
              use_torchvision: false}
          out_channels: 16
          featmap_strides: [4, 8, 16, 32]
          finest_scale: 8
        shared_head: null
        mask_roi_extractor: null
        mask_head: null
        bbox_head:
          type: Shared2FCBBoxHead
          in_channels: 16
          fc_out_channels: 32
          conv_out_channels: 256
          roi_feat_size: 7
          num_classes: 5
          with_avg_pool: false
          with_cls: true
          with_reg: true
          conv_cfg: null
          norm_cfg: null
          bbox_coder: {type: DeltaXYWHBBoxCoder, target_means: [0.0, 0.0, 0.0, 0.0], target_stds: [0.1, 0.1, 0.2,
              0.2], clip_border: true}
          reg_class_agnostic: false
          reg_decoded_bbox: false
          loss_cls: {type: CrossEntropyLoss, use_sigmoid: false, use_mask: false, reduction: mean,
              class_weight: [1.0, 1.5, 1.0, 1.0, 2.0, 1.0], loss_weight: 1.0}
          loss_bbox: {type: SmoothL1Loss, beta: 1.0, reduction: mean, loss_weight: 1.0}
      train_cfg:
        rpn:
          assigner:
            type: MaxIoUAssigner
            pos_iou_thr: 0.6
            neg_iou_thr: 0.3
            min_pos_iou: 0.3
            gt_max_assign_all: true
            ignore_iof_thr: 0.3
            ignore_wrt_candidates: true
            match_low_quality: true
            gpu_assign_thr: -1
            iou_calculator: {type: BboxOverlaps2D}
          sampler: {type: RandomSampler, num: 16, pos_fraction: 0.1, neg_pos_ub: 9, add_gt_as_proposals: false}
          allowed_border: -1
          pos_weight: -1
          debug: false
        rpn_proposal: {nms_pre: 60, max_per_img: 40, nms: {type: nms, iou_threshold: 0.3, class_agnostic: false,
            split_thr: 10000}, min_bbox_size: 0, nms_across_levels: false, nms_post: 40}
        rcnn:
          assigner:
            type: MaxIoUAssigner
            pos_iou_thr: 0.4
            neg_iou_thr: 0.4
            min_pos_iou: 0.1
            gt_max_assign_all: true
            ignore_iof_thr: 0.2
            ignore_wrt_candidates: true
            match_low_quality: true
            gpu_assign_thr: -1
            iou_calculator: {type: BboxOverlaps2D}
          sampler: {type: RandomSampler, num: 16, pos_fraction: 0.25, neg_pos_ub: 2, add_gt_as_proposals: true}
          pos_weight: -1
          debug: false
          mask_size: 28
      test_cfg:
        rpn: {nms_pre: 12, max_per_img: 40, nms: {type: nms, iou_threshold: 0.3, class_agnostic: false,
            split_thr: 10000}, min_bbox_size: 0, nms_across_levels: false, nms_post: 40}
        rcnn: {score_thr: 0.05, nms: {type: soft_nms, iou_threshold: 0.1, class_agnostic: false, split_thr: 10000,
            method: linear, sigma: 0.5, min_score: 0.001}, max_per_img: 400, mask_thr_binary: 0.5}
    data:
      samples_per_gpu: 2
      workers_per_gpu: 1
      persistent_workers: false
      pin_memory: false
      train:
        type: CocoDataset
        data_root: data/
        ann_file: annotations/instances_train.json
        img_prefix: train
        seg_prefix: null
        proposal_file: null
        test_mode: false
        filter_empty_gt: true
        classes: [circle, rectangle, triangle, star, ring]
        pipeline:
          - {type: LoadImageFromFile, to_float32: false, color_type: color, file_client_args: {backend: disk}}
          - {type: LoadAnnotations, with_bbox: true, with_label: true, with_mask: false, with_seg: false,
              poly2mask: true, file_client_args: {backend: disk}}
          - {type: Resize, img_scale: [[64, 48], [96, 72]], multiscale_mode: value, ratio_range: null,
              keep_ratio: true, bbox_clip_border: true, backend: cv2, override: false}
          - {type: RandomFlip, flip_ratio: [0.3, 0.4], direction: [horizontal, vertical]}
          - {type: Normalize, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], to_rgb: true}
          - {type: Pad, size: null, size_divisor: 32, pad_val: 0}
          - {type: DefaultFormatBundle}
          - {type: Collect, keys: [img, gt_bboxes, gt_labels, gt_bboxes_ignore], meta_keys: [img_shape, pad_shape,
              scale_factor]}
      val:
        type: CocoDataset
        data_root: data/
        ann_file: annotations/instances_val.json
        img_prefix: val
        samples_per_gpu: 1
        test_mode: true
        filter_empty_gt: true
        classes: [circle, rectangle, triangle, star, ring]
        pipeline:
          - {type: LoadImageFromFile}
          - type: MultiScaleFlipAug
            img_scale: [96, 72]
            scale_factor: null
            flip: false
            flip_direction: horizontal
            transforms:
              - {type: Resize, keep_ratio: true, img_scale: [96, 72], multiscale_mode: range, bbox_clip_border: true}
              - {type: RandomFlip, flip_ratio: 0.5, direction: horizontal}
              - {type: Normalize, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], to_rgb: true}
              - {type: Pad, size_divisor: 32, pad_val: 0}
              - {type: ImageToTensor, keys: [img]}
              - {type: Collect, keys: [img], meta_keys: [img_shape, pad_shape, scale_factor]}
      test:
        type: CocoDataset
        data_root: data/
        ann_file: annotations/instances_val.json
        img_prefix: val
        samples_per_gpu: 1
        test_mode: true
        filter_empty_gt: true
        classes: [circle, rectangle, triangle, star, ring]
        pipeline:
          - {type: LoadImageFromFile}
          - type: MultiScaleFlipAug
            img_scale: [96, 72]
            flip: false
            transforms:
              - {type: Resize, keep_ratio: true}
              - {type: RandomFlip}
              - {type: Normalize, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], to_rgb: true}
              - {type: Pad, size_divisor: 32}
              - {type: ImageToTensor, keys: [img]}
              - {type: Collect, keys: [img]}
    evaluation: {interval: 2, start: 1, by_epoch: true, metric: bbox, classwise: false, save_best: null, rule: null,
        tmpdir: null, gpu_collect: false, broadcast_bn_buffer: true, jsonfile_prefix: null,
        proposal_nums: [1, 10, 100], iou_thrs: [0.5, 0.75], metric_items: [mAP, mAP_50]}
    optimizer:
      type: SGD
      lr: 0.01
      momentum: 0.9
      dampening: 0.1
      weight_decay: 0.01
      nesterov: false
      paramwise_cfg: {bias_lr_mult: 2.0, bias_decay_mult: 0.5, norm_decay_mult: 0.5, dwconv_decay_mult: 1.0,
          dcn_offset_lr_mult: 1.0, bypass_duplicate: false, custom_keys: {neck: {lr_mult: 0.5, decay_mult: 0.5}}}
    optimizer_config: {type: OptimizerHook, grad_clip: {max_norm: 1, norm_type: 2}}
    lr_config: {policy: step, by_epoch: false, warmup: linear, warmup_iters: 2, warmup_ratio: 0.1,
        warmup_by_epoch: false, step: [2], gamma: 0.5, min_lr: 0.0001}
    runner: {type: EpochBasedRunner, max_epochs: 3, max_iters: 7}
    auto_scale_lr: {enable: true, base_batch_size: 4}
    checkpoint_config: {interval: 2, by_epoch: false, max_keep_ckpts: 2, save_optimizer: true, save_last: true,
        sync_buffer: false, create_symlink: true}
    log_config:
      interval: 1
      hooks:
        - {type: TextLoggerHook, by_epoch: true, ignore_last: true, reset_flag: false}
        - {type: TensorboardLoggerHook, log_dir: null, interval: 1, ignore_last: true, reset_flag: true, by_epoch: true}
    custom_hooks: [{type: NumClassCheckHook, priority: NORMAL}]
    workflow: [[train, 1]]
    load_from: null
    resume_from: null
    work_dir: work
    seed: 0
    mpi:
      shuffle: true
      keep_levels_in_graph: true
      loss_normalizer: global
      threads_per_rank: 1
      bucket_size_mb: 2
      recompute: []
      scaled_decode: never
      inject: []
      reduction: fast
      on_non_finite: stop
      max_non_finite: 10
      check_interval: 1
      check_pictures: names
      eval_area_ranges: {smaller: [0, 1000], larger: [1000, 1.0e+10]}
      exif: apply
      max_picture_pixels: 134217728
      on_bad_picture: stop
      max_bad_pictures: 10
      stall_timeout: 600
      async_save: false
      save_failures: 3
      tensorboard_pictures: 4

    """

  /// Parts in other words: the value, and what has to change with it.
  static let alternatives: [(key: String, value: String, with: [String])] = [
    ("model.backbone.depth", "34", []),
    ("model.backbone.norm_cfg", "{type: GN, num_groups: 4}", []), ("model.backbone.conv_cfg", "{type: ConvWS}", []),
    ("model.neck.norm_cfg", "null", []),
    (
      "model.rpn_head.anchor_generator.centers", "[[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]",
      ["\(anchors).center_offset=0"]
    ),
    ("model.neck", "{type: PAFPN, in_channels: [8,16,32,64], out_channels: 16, num_outs: 5}", []),
    (
      "model.neck",
      "[{type: FPN, in_channels: [8,16,32,64], out_channels: 16, num_outs: 5}, "
        + "{type: BFP, in_channels: 16, num_levels: 5, refine_level: 2, refine_type: non_local}]", []
    ),
    ("model.neck.upsample_cfg", "{mode: bilinear}", []),
    ("model.neck.act_cfg", "{type: ReLU}", []),
    ("model.rpn_head.loss_bbox", "{type: L1Loss}", []),
    ("model.rpn_head.loss_bbox", "{type: BalancedL1Loss}", []),
    ("model.rpn_head.loss_cls", "{type: CrossEntropyLoss, use_sigmoid: false}", []),
    ("model.roi_head.bbox_roi_extractor.roi_layer", "{type: RoIPool, output_size: 7}", []),
    (
      "model.roi_head.bbox_roi_extractor",
      "{type: GenericRoIExtractor, out_channels: 16, featmap_strides: [4, 8, 16, 32], "
        + "roi_layer: {type: RoIAlign, output_size: 7}, "
        + "pre_cfg: {type: ConvModule, in_channels: 16, out_channels: 16, kernel_size: 3, padding: 1}}", []
    ),
    ("model.roi_head.bbox_head.type", "Shared4Conv1FCBBoxHead", ["model.roi_head.bbox_head.conv_out_channels=8"]),
    ("model.roi_head.bbox_head.loss_bbox", "{type: L1Loss}", []),
    ("model.roi_head.bbox_head.loss_cls", "{type: FocalLoss, use_sigmoid: true}", []),
    ("model.train_cfg.rpn.sampler", "{type: PseudoSampler}", []),
    (
      "model.train_cfg.rpn_proposal.nms", "{type: soft_nms, iou_threshold: 0.3, method: linear}",
      ["model.train_cfg.rpn_proposal.max_per_img=400"]
    ),
    ("model.train_cfg.rcnn.sampler", "{type: PseudoSampler}", []),
    ("model.train_cfg.rcnn.sampler", "{type: OHEMSampler, num: 16, pos_fraction: 0.25}", []),
    (
      "model.train_cfg.rcnn.sampler",
      "{type: CombinedSampler, num: 16, pos_fraction: 0.25, pos_sampler: {type: InstanceBalancedPosSampler}, "
        + "neg_sampler: {type: IoUBalancedNegSampler}}", []
    ),
    ("model.test_cfg.rcnn.nms", "{type: nms, iou_threshold: 0.1}", []),
    ("model.roi_head.stage_loss_weights", "[1, 0.2]", cascade),
    ("model.train_cfg.rcnn.1.assigner.pos_iou_thr", "0.8", cascade),
    ("optimizer", "{type: Adam, lr: 0.01}", []),
    ("optimizer", "{type: AdamW, lr: 0.01}", []),
    ("optimizer_config", "{type: GradientCumulativeOptimizerHook, cumulative_iters: 2}", []),
    ("custom_hooks", "[{type: EMAHook, momentum: 0.5}]", []),
    ("lr_config", "{policy: fixed}", []),
    ("runner.type", "IterBasedRunner", ["evaluation.by_epoch=null", "log_config.hooks.0.by_epoch=null"]),
    ("data.imgs_per_gpu", "1", []),
    ("mpi.global_batch", "3", ["data.samples_per_gpu=null"]),
    ("mpi.reduction", "exact", []),
    ("evaluation.save_best", "auto", []),
    ("total_epochs", "2", ["runner.max_epochs=null"]),
  ]
  private static let anchors = "model.rpn_head.anchor_generator"
  private static let cascade: [String] = {
    let stage =
      "{assigner: {type: MaxIoUAssigner, pos_iou_thr: 0.4, neg_iou_thr: 0.4, min_pos_iou: 0.4, match_low_quality: false}, "
      + "sampler: {type: RandomSampler, num: 16, pos_fraction: 0.25}}"
    return [
      "model.type=CascadeRCNN", "model.roi_head.type=CascadeRoIHead", "model.roi_head.num_stages=2",
      "model.roi_head.stage_loss_weights=[1, 1]",
      "model.train_cfg.rcnn=[\(stage), \(stage)]",
    ]
  }()

  /// Keys that another key takes the effect from in `text`: what gives it back.
  static let contexts: [String: [String]] = [
    "model.backbone.style": ["model.backbone.depth=50", "model.neck.in_channels=[32,64,128,256]"],
    "model.neck.extra_convs_on_inputs": extraLevels,
    "model.neck.relu_before_extra_convs": extraLevels,
    "model.test_cfg.rcnn.nms.sigma": ["model.test_cfg.rcnn.nms.method=gaussian"],
    "optimizer.nesterov": ["optimizer.dampening=0"],
  ]
  private static let extraLevels = [
    "model.neck.add_extra_convs=true", "model.neck.start_level=1", "\(anchors).strides=[8,16,32,64,128]",
    "model.roi_head.bbox_roi_extractor.featmap_strides=[8,16,32,64]",
    "model.train_cfg.rpn.sampler={type: PseudoSampler}",
  ]

  /// Values that make a difference in so short a run, where a change of any size would not.
  static let values: [String: [String]] = [
    "model.train_cfg.rpn_proposal.min_bbox_size": ["12"], "model.test_cfg.rpn.min_bbox_size": ["12"],
    "model.test_cfg.rpn.nms_pre": ["4"], "model.test_cfg.rcnn.nms.method": ["naive"],
    "model.train_cfg.rpn.sampler.pos_fraction": ["0.6"], "model.backbone.zero_init_residual": ["true"],
    "lr_config.warmup": ["exp"], "mpi.scaled_decode": ["train"], "data.train.pipeline.2.multiscale_mode": ["range"],
    "data.train.pipeline.7.keys": ["[img,gt_bboxes,gt_labels]"],
    "model.rpn_head.loss_cls.class_weight": ["[4.0]"],
    "model.roi_head.bbox_head.loss_cls.class_weight": ["[0.5,0.5,0.5,0.5,0.5,3.0]"],
    "model.test_cfg.rcnn.max_per_img": ["10"], "evaluation.interval": ["1"],
    "evaluation.metric_items": ["[mAP]"], "evaluation.iou_thrs": ["[0.5,0.6,0.75]"],
    "mpi.eval_area_ranges.smaller": ["[0, 1]"],
    "mpi.eval_area_ranges.larger": ["[5000, 6000]"],
    "model.test_cfg.rpn.max_per_img": ["5"],
    "model.train_cfg.rcnn.assigner.neg_iou_thr": ["0.02"], "data.val.pipeline.1.img_scale": ["[64,48]"],
    "data.test.pipeline.1.img_scale": ["[64,48]"], "mpi.inject": ["flip rank=0 step=1"],
    "mpi.max_picture_pixels": ["100"],
  ]

  /// Keys whose effect can't show in a run of one rank and a second, or must not, and the tests that show it.
  static let shownElsewhere: [String: String] = [
    "data.workers_per_gpu": "PrefetcherTests: the images are the same with any number of workers",
    "model.train_cfg.rpn.assigner.gt_max_assign_all": "MaxIoUAssignerTests: needs boxes of equal overlap",
    "model.train_cfg.rcnn.assigner.gt_max_assign_all": "MaxIoUAssignerTests: needs boxes of equal overlap",
    "model.train_cfg.rpn_proposal.nms.split_thr": "NonMaximumSuppressionTests: the boxes are the same",
    "model.test_cfg.rpn.nms.split_thr": "NonMaximumSuppressionTests: the boxes are the same",
    "model.test_cfg.rcnn.nms.split_thr": "NonMaximumSuppressionTests: the boxes are the same",
    "optimizer.paramwise_cfg.dwconv_decay_mult": "AdamTests: needs a depthwise convolution",
    "mpi.keep_levels_in_graph": "StarvedLevels: needs a level without RoIs on one of several ranks",
    "mpi.loss_normalizer": "RankTests, average: with one rank its counts are the sum over all",
    "mpi.bucket_size_mb": "RankTests, reducer: the sums are the same",
    "mpi.check_interval": "RankTests, namesTheRankThatHoldsOtherParameters: needs a rank that lost a bit",
    "mpi.stall_timeout": "WatchdogTests: changes nothing until a run stands still",
    "mpi.recompute": "BackboneTests: the gradients are the same",
    "mpi.save_failures": "Saving: needs saves that fail",
    "mpi.tensorboard_pictures": tensorBoard,
    "log_config.hooks.1.log_dir": tensorBoard,
    "log_config.hooks.1.interval": tensorBoard,
    "log_config.hooks.1.ignore_last": tensorBoard,
    "log_config.hooks.1.by_epoch": tensorBoard,
  ]
  private static let tensorBoard = "TensorBoard: shows in its files alone, which say the time"
}
