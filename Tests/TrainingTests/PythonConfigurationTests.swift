import Foundation
import Testing
import Training

/// mmdetection's own `.py` files, read as data.
@Suite struct PythonConfigurationTests {
  /// The quickstart configuration as mmdetection would write it.
  private static let model = #"""
    # The detector.
    """A text alone says nothing."""
    norm_cfg = dict(type='BN', requires_grad=False)
    head = dict(in_channels=32)
    model = dict(
        type='FasterRCNN',
        pretrained=None,
        backbone=dict(
            type='ResNet', depth=18, base_channels=8 * 2, num_stages=4, out_indices=(0, 1, 2, 3), frozen_stages=-1,
            norm_cfg=norm_cfg, norm_eval=True, style='pytorch'),
        neck=dict(type='FPN', in_channels=[16, 32, 64, 128], out_channels=32, num_outs=5),
        rpn_head=dict(
            type='RPNHead', feat_channels=0x20, **head,
            anchor_generator=dict(
                type='AnchorGenerator', scales=[4], ratios=[1 / 2, 1.0, 2.0], strides=[4, 8, 16] + [32] + [64]),
            bbox_coder=dict(
                type='DeltaXYWHBBoxCoder', target_means=[.0] * 4, target_stds=[1., 1., 1., 1.]),
            loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0),
            loss_bbox=dict(type='L1Loss', loss_weight=1.0)),
        roi_head={
            'type': 'StandardRoIHead',
            'bbox_roi_extractor': dict(
                type='SingleRoIExtractor', roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=0),
                out_channels=32, featmap_strides=[4, 8, 16, 32]),
            "bbox_head": dict(
                type='Shared2FCBBoxHead', fc_out_channels=128, roi_feat_size=7, num_classes=5,
                bbox_coder=dict(
                    type='DeltaXYWHBBoxCoder', target_means=[0., 0., 0., 0.], target_stds=[0.1, 0.1, 0.2, 0.2]),
                reg_class_agnostic=False, loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
                loss_bbox=dict(type='L1Loss', loss_weight=1.0), **head),
        },
        train_cfg=dict(
            rpn=dict(
                assigner=dict(
                    type='MaxIoUAssigner', pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3, match_low_quality=True,
                    ignore_iof_thr=-1),
                sampler=dict(
                    type='RandomSampler', num=256, pos_fraction=0.5, neg_pos_ub=-1, add_gt_as_proposals=False),
                allowed_border=-1, pos_weight=-1, debug=False),
            rpn_proposal=dict(
                nms_pre=2000, max_per_img=1000, nms=dict(type='nms', iou_threshold=0.7), min_bbox_size=0),
            rcnn=dict(
                assigner=dict(
                    type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.5, match_low_quality=False,
                    ignore_iof_thr=-1),
                sampler=dict(
                    type='RandomSampler', num=512, pos_fraction=0.25, neg_pos_ub=-1, add_gt_as_proposals=True),
                pos_weight=-1, debug=False)),
        test_cfg=dict(
            rpn=dict(nms_pre=1000, max_per_img=1000, nms=dict(type='nms', iou_threshold=0.7), min_bbox_size=0),
            rcnn=dict(score_thr=0.05, nms=dict(type='nms', iou_threshold=0.5), max_per_img=100)))
    """#

  private static let run = #"""
    _base_ = ['../_base_/model.py']
    data_root = 'data/'
    img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
    train_pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True),
        dict(type='Resize', img_scale=[(320, 240), (160, 120)], keep_ratio=True),
        dict(type='RandomFlip', flip_ratio=0.5),
        dict(type='Normalize', mean=img_norm_cfg['mean'], std=img_norm_cfg['std'], to_rgb=True),
        dict(type='Pad', size_divisor=32),
        dict(type='DefaultFormatBundle'),
        dict(type='Collect', keys=['img', 'gt_bboxes', 'gt_labels']),
    ]
    data = dict(
        samples_per_gpu=2, workers_per_gpu=2,
        train=dict(type='CocoDataset', ann_file=data_root + 'train.json', img_prefix=data_root +
                   'tr' 'ain/', pipeline=train_pipeline))
    optimizer = dict(type='SGD', lr=0.02 / 8, momentum=0.9, weight_decay=1e-4)
    optimizer_config = dict(grad_clip=None)
    lr_config = dict(policy='step', warmup='linear', warmup_iters=500, warmup_ratio=0.001, step=[8, 11])
    runner = dict(type='EpochBasedRunner', max_epochs=12); seed = 3
    work_dir = 'out/{{ fileBasenameNoExtension }}'
    """#

  /// The same as YAML.
  private static let yaml = """
    model:
      type: FasterRCNN
      backbone: {type: ResNet, depth: 18, base_channels: 16, num_stages: 4, out_indices: [0, 1, 2, 3], frozen_stages: -1,
        norm_cfg: {type: BN, requires_grad: false}, norm_eval: true, style: pytorch}
      neck: {type: FPN, in_channels: [16, 32, 64, 128], out_channels: 32, num_outs: 5}
      rpn_head: {type: RPNHead, in_channels: 32, feat_channels: 32, anchor_generator: {type: AnchorGenerator, scales: [4],
        ratios: [0.5, 1.0, 2.0], strides: [4, 8, 16, 32, 64]}, loss_bbox: {type: L1Loss, loss_weight: 1.0}}
      roi_head: {type: StandardRoIHead, bbox_roi_extractor: {type: SingleRoIExtractor, roi_layer: {type: RoIAlign,
        output_size: 7, sampling_ratio: 0}, out_channels: 32, featmap_strides: [4, 8, 16, 32]}, bbox_head: {type:
        Shared2FCBBoxHead, in_channels: 32, fc_out_channels: 128, roi_feat_size: 7, num_classes: 5, bbox_coder: {type:
        DeltaXYWHBBoxCoder, target_means: [0, 0, 0, 0], target_stds: [0.1, 0.1, 0.2, 0.2]}, loss_bbox: {type: L1Loss,
        loss_weight: 1.0}}}
      train_cfg:
        rpn: {assigner: {type: MaxIoUAssigner, pos_iou_thr: 0.7, neg_iou_thr: 0.3, min_pos_iou: 0.3, ignore_iof_thr: -1},
          sampler: {type: RandomSampler, num: 256, pos_fraction: 0.5, add_gt_as_proposals: false}, allowed_border: -1,
          pos_weight: -1}
        rpn_proposal: {nms_pre: 2000, max_per_img: 1000, nms: {type: nms, iou_threshold: 0.7}, min_bbox_size: 0}
        rcnn: {assigner: {type: MaxIoUAssigner, pos_iou_thr: 0.5, neg_iou_thr: 0.5, min_pos_iou: 0.5, match_low_quality:
          false, ignore_iof_thr: -1}, sampler: {type: RandomSampler, num: 512, pos_fraction: 0.25}, pos_weight: -1}
      test_cfg:
        rpn: {nms_pre: 1000, max_per_img: 1000, nms: {type: nms, iou_threshold: 0.7}, min_bbox_size: 0}
        rcnn: {score_thr: 0.05, nms: {type: nms, iou_threshold: 0.5}, max_per_img: 100}
    data:
      samples_per_gpu: 2
      workers_per_gpu: 2
      train:
        type: CocoDataset
        ann_file: data/train.json
        img_prefix: data/train/
        pipeline:
        - type: LoadImageFromFile
        - {type: LoadAnnotations, with_bbox: true}
        - {type: Resize, img_scale: [[320, 240], [160, 120]], keep_ratio: true}
        - {type: RandomFlip, flip_ratio: 0.5}
        - {type: Normalize, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], to_rgb: true}
        - {type: Pad, size_divisor: 32}
        - type: DefaultFormatBundle
        - {type: Collect, keys: [img, gt_bboxes, gt_labels]}
    optimizer: {type: SGD, lr: 0.0025, momentum: 0.9, weight_decay: 0.0001}
    optimizer_config: {grad_clip: null}
    lr_config: {policy: step, warmup: linear, warmup_iters: 500, warmup_ratio: 0.001, step: [8, 11]}
    runner: {type: EpochBasedRunner, max_epochs: 12}
    seed: 3
    work_dir: out/child
    """

  private func read(_ child: String) throws -> ReadConfiguration {
    let files = ["_base_/model.py": Self.model, "sub/child.py": child]
    return try ConfigurationFixture.withFiles(files) { try ReadConfiguration(file: "\($0)/sub/child.py") }
  }

  @Test func sameAsYAML() throws {
    let python = try read(Self.run)
    #expect(try python.run == ReadConfiguration(text: Self.yaml, name: "child.yaml").run)
    // A variable that is used needs no notice.
    #expect(python.notices.filter { $0.contains("variable") } == [])
  }

  @Test func variableThatChangesNothingIsTold() throws {
    let notices = try read(Self.run + "\nhead = dict(in_channels=64)\n").notices.filter { $0.contains("'head'") }
    #expect(notices.count == 1)
    #expect(notices.first?.contains("child.py:23:1: notice: 'head'") ?? false, "\(notices)")
  }

  @Test func valuesOfTheBases() throws {
    let read = try read(Self.run + "\nevaluation = None\nlog_config = dict(interval={{ _base_.head.in_channels }})\n")
    #expect(read.run.log.interval == 32)
    #expect(read.notices.filter { $0.contains("'head'") } == [])
  }

  @Test(arguments: [
    ("lr = {{_base_.none}}", "'_base_' has no 'none'"),
    ("lr = '{{_base_.head}}'", "stands for a whole value"),
  ]) func wrongValuesOfTheBases(line: String, message: String) throws {
    let error = try #require(throws: ConfigurationError.self) { _ = try read(Self.run + "\n\(line)\n") }
    #expect(error.description.contains("child.py:23:6: error: ") && error.description.contains(message), "\(error)")
  }

  /// Whatever would have to be run, and whatever would take for ever.
  @Test(arguments: [
    "import os", "from os import system", "x = __import__('os').system('touch HACKED')", "x = open('HACKED', 'w')",
    "exec(\"open('HACKED', 'w')\")", "x = [i for i in range(3)]", "x = lambda: 1", "def f():\n  return 1",
    "class A: pass", "if True:\n  x = 1", "for i in (1, 2): x = i", "x = f'{open(\"HACKED\", \"w\")}'",
    "x = 9**9**9", "x = 'a' * 10**10", "x = 'a' * 999999999999", "x = [0] * 1000 * 1000 * 1000",
    "x = (1).__class__", "del data", "with open('HACKED', 'w'): pass", "x = dict(__import__('os'))",
    "x = 1 if open('HACKED', 'w') else 2", "data['train'] = 1", "x: int = 1", "x += 1", "x = b'1'", "x = unknown",
    "x = 'a", "x = '''a", "x = [1, 2", "x = {1: 2", "x = dict(a=1, a=2)", "x = dict(a=1, **dict(a=2))", "  x = 1",
    "x = 1 2", "x = 1 / 0", "x = 1 // 0", "x = 9223372036854775807 + 1", "x = 'a' + 1", "x = -'a'", "x = 0x",
    "x = print", "@x", "x = 1 == 1", "x, y = 1, 2", "None = 1",
    "x = dict(1)", "x = {[1]: 2}", "x = **data", "x = [1][1]", "x = [1][0:1]", "x = dict(a=1)['b']", "x = 1[0]",
    "x = '\\x'",
  ]) func refusedWithItsPlace(text: String) throws {
    let error = try #require(throws: ConfigurationError.self) { _ = try read("_base_ = '../_base_/model.py'\n" + text) }
    #expect(error.description.contains(#/child\.py:\d+:\d+: error: /#), "\(error)")
    #expect(!FileManager.default.fileExists(atPath: "HACKED"))
  }

  @Test func whatWouldTakeForEverIsRefused() throws {
    let doubling = "x0 = [1]\n" + (1...40).map { "x\($0) = [x\($0 - 1), x\($0 - 1)]\n" }.joined()
    let texts = [
      "x = \(String(repeating: "[", count: 100_000))", "x = \(String(repeating: "-", count: 100_000))1", doubling,
    ]
    for (index, text) in texts.enumerated() {
      let error = try #require(throws: ConfigurationError.self) { _ = try read(text) }
      #expect(error.description.contains(index < 2 ? "100 levels" : "1000000 values"))
    }
  }

  @Test func placeOfAMistakeInAValue() throws {
    let text = Self.run.replacingOccurrences(of: "momentum=0.9", with: "momentum='much'")
    let error = try #require(throws: ConfigurationError.self) { _ = try read(text) }
    #expect(error.description.contains("child.py:18:52: error: 'optimizer.momentum' is 'much'"), "\(error)")
  }
}
