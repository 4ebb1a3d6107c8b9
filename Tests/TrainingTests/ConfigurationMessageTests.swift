import Testing
import Training

/// The exact texts that a user gets for a mistake.
@Suite struct ConfigurationMessageTests {
  static let mistakes: [(found: String, replacement: String, message: String)] = [
    (
      "optimizer: {type: SGD, lr: 0.015,", "optimizer:\n {type: SGD, learning_rat: 0.015,",
      """
      c.yaml:N:14: error: unknown key 'learning_rat' in 'optimizer'
          {type: SGD, learning_rat: 0.015, momentum: 0.9, weight_decay: 0.0001}
                      ^ did you mean 'lr'?
      """
    ),
    (
      "lr: 0.015", "lr: fast",
      """
      c.yaml:N:28: error: 'optimizer.lr' is fast, expected a number
          optimizer: {type: SGD, lr: fast, momentum: 0.9, weight_decay: 0.0001}
                                     ^
      """
    ),
    (
      "lr: 0.015, ", "",
      """
      c.yaml:N:1: error: 'optimizer' lacks 'lr' (a number)
          optimizer: {type: SGD, momentum: 0.9, weight_decay: 0.0001}
          ^
      """
    ),
    (
      "frozen_stages: -1", "frozen_stage: -1",
      """
      c.yaml:N:5: error: unknown key 'frozen_stage' in 'model.backbone'
          frozen_stage: -1
          ^ did you mean 'frozen_stages'?
      """
    ),
    (
      "type: RPNHead", "type: GARPNHead",
      """
      c.yaml:N:11: error: 'model.rpn_head.type' is 'GARPNHead', which is not supported yet
          type: GARPNHead
                ^ supported: RPNHead
      """
    ),
    (
      "    norm_eval: false", "    dcn: {type: DCNv2, deform_groups: 1}\n    norm_eval: false",
      """
      c.yaml:N:10: error: 'model.backbone.dcn' is not supported yet
          dcn: {type: DCNv2, deform_groups: 1}
               ^ leave it out
      """
    ),
    (
      "  roi_head:\n    type: StandardRoIHead",
      "  roi_head:\n    mask_head: {type: FCNMaskHead}\n    type: StandardRoIHead",
      """
      c.yaml:N:16: error: 'model.roi_head.mask_head' is not supported yet
          mask_head: {type: FCNMaskHead}
                     ^ leave it out
      """
    ),
    (
      "num_classes: 5", "num_classes: 80",
      """
      c.yaml:N:20: error: 'model.roi_head.bbox_head.num_classes' is 80, expected 5, as 'data.train.classes' has 5 names
          num_classes: 80
                       ^
      """
    ),
    (
      "[32, 64, 128, 256]", "[256, 512, 1024, 2048]",
      """
      c.yaml:N:18: error: 'model.neck.in_channels' is [256, 512, 1024, 2048], expected [32, 64, 128, 256]: \
      the channels of the backbone's stages [0, 1, 2, 3] with depth 18 and base_channels 32
          in_channels: [256, 512, 1024, 2048]
                       ^
      """
    ),
    (
      "strides: [4, 8, 16, 32, 64]", "strides: [4, 8, 16, 32]",
      """
      c.yaml:N:94: error: 'model.rpn_head.anchor_generator.strides' is [[4, 4], [8, 8], [16, 16], [32, 32]], \
      expected [[4, 4], [8, 8], [16, 16], [32, 32], [64, 64]]: the strides of the neck's 5 levels, as (width, height)
          anchor_generator: {type: AnchorGenerator, scales: [4], ratios: [0.5, 1.0, 2.0], strides: [4, 8, 16, 32]}
                                                                                                   ^
      """
    ),
    (
      "num_groups: 16", "num_groups: 24",
      """
      c.yaml:N:38: error: 'model.backbone.norm_cfg.num_groups' is 24, expected a divisor of \
      'model.backbone.base_channels', which is 32
          norm_cfg: {type: GN, num_groups: 24, requires_grad: true}
                                           ^
      """
    ),
    (
      "flip: false", "flip: true",
      """
      c.yaml:N:15: error: 'data.val.pipeline.1.flip' is not supported yet
          flip: true
                ^ leave it out
      """
    ),
    (
      "workflow: [[train, 1]]", "workflow: [[train, 1], [val, 1]]",
      """
      c.yaml:N:11: error: 'workflow' is [[train, 1], [val, 1]], which is not supported yet
          workflow: [[train, 1], [val, 1]]
                    ^ supported: [[train, 1]]; 'evaluation' measures on data.val
      """
    ),
    (
      "workflow: [[train, 1]]", "optimiser: {lr: 1}",
      """
      c.yaml:N:1: error: unknown key 'optimiser' at the top level
          optimiser: {lr: 1}
          ^ did you mean 'optimizer'?
      """
    ),
    (
      "workflow: [[train, 1]]", "mpi: {loss_normalizer: local}",
      """
      c.yaml:N:24: error: 'mpi.loss_normalizer' is local, expected one of global, per_rank
          mpi: {loss_normalizer: local}
                                 ^
      """
    ),
    (
      "workflow: [[train, 1]]", "mpi: {recompute: [0]}",
      """
      c.yaml:N:18: error: 'mpi.recompute' is [0], expected stages of the backbone, from 1 to 4
          mpi: {recompute: [0]}
                           ^
      """
    ),
    (
      "workflow: [[train, 1]]", "mpi: {scaled_decode: test}",
      """
      c.yaml:N:22: error: 'mpi.scaled_decode' is test, expected one of train, always, never
          mpi: {scaled_decode: test}
                               ^
      """
    ),
    (
      "workflow: [[train, 1]]", "mpi: {exif: rotate}",
      """
      c.yaml:N:13: error: 'mpi.exif' is rotate, expected one of apply, ignore
          mpi: {exif: rotate}
                      ^
      """
    ),
    (
      "workflow: [[train, 1]]", "mpi: {max_picture_pixels: 2000000000}",
      """
      c.yaml:N:27: error: 'mpi.max_picture_pixels' is 2000000000, expected a number from 1 to 1000000000
          mpi: {max_picture_pixels: 2000000000}
                                    ^
      """
    ),
    (
      "workflow: [[train, 1]]", "mpi: {zzzzzzzzzz: local}",
      """
      c.yaml:N:7: error: unknown key 'zzzzzzzzzz' in 'mpi'
          mpi: {zzzzzzzzzz: local}
                ^ known keys: async_save, bucket_size_mb, check_interval, check_pictures, eval_area_ranges, exif, \
      global_batch, inject, keep_levels_in_graph, loss_normalizer, max_bad_pictures, max_non_finite, max_picture_pixels, \
      on_bad_picture, on_non_finite, recompute, reduction, save_failures, scaled_decode, shuffle, \
      stall_timeout, tensorboard_pictures, threads_per_rank, weights_dir
      """
    ),
    (
      "nms_pre: 300, max_per_img: 100,", "nms_pre: 300, max_per_img: 100, max_num: 50,",
      """
      c.yaml:N:52: error: 'model.test_cfg.rpn.max_num' is 50, expected 100, as 'max_per_img', whose older name it is
          rpn: {nms_pre: 300, max_per_img: 100, max_num: 50, nms: {type: nms, iou_threshold: 0.7}, min_bbox_size: 0}
                                                         ^
      """
    ),
    (
      "workflow: [[train, 1]]", "workflow: [[train, 1]",
      """
      c.yaml:N:1: error: this is not YAML: did not find expected ',' or ']'
          \n    ^
      """
    ),
    (
      "workflow: [[train, 1]]", "seed: 1\nseed: 2",
      """
      c.yaml:N:1: error: key 'seed' stands twice in one mapping
          seed: 1
          ^
      """
    ),
  ]

  @Test(arguments: mistakes.indices) func mistake(_ index: Int) throws {
    let (found, replacement, message) = Self.mistakes[index]
    let text = try ConfigurationFixture.message { try ConfigurationFixture.read(replacing: found, with: replacement) }
    #expect(text == message)
  }

  @Test func lineNumbersCountFromOne() throws {
    let error = try #require(throws: ConfigurationError.self) {
      _ = try ReadConfiguration(text: "model:\n  type: FasterRCNN\n  depth: 50\n", name: "dir/c.yaml")
    }
    #expect(error.description == "dir/c.yaml:1:1: error: 'model' lacks 'backbone' (a mapping)\n    model:\n    ^")
  }

  static let optionMistakes: [(option: String, message: String)] = [
    (
      "optimizer.learning_rat=0.02",
      """
      --cfg-options: error: unknown key 'learning_rat' in 'optimizer'
          optimizer.learning_rat=0.02
                    ^ did you mean 'lr'?
      """
    ),
    (
      "optimizer.lr=quick",
      """
      --cfg-options: error: 'optimizer.lr' is quick, expected a number
          optimizer.lr=quick
                       ^
      """
    ),
    (
      "data.train.pipeline.9.flip_ratio=0",
      """
      --cfg-options: error: 'data.train.pipeline' is a list of 8, expected an index below that
          data.train.pipeline.9.flip_ratio=0
                              ^
      """
    ),
    (
      "optimizer.lr.x=1",
      """
      --cfg-options: error: 'optimizer.lr' is 0.015 and has no key 'x'
          optimizer.lr.x=1
                       ^
      """
    ),
    (
      "optimizer.lr",
      """
      --cfg-options: error: expected KEY=VALUE
          optimizer.lr
          ^
      """
    ),
    (
      "lr_config.step=[8, two]",
      """
      --cfg-options: error: 'lr_config.step' is [8, two], expected a number from 1 on or a list of them
          lr_config.step=[8, two]
                         ^
      """
    ),
  ]

  @Test(arguments: optionMistakes.indices) func optionMistake(_ index: Int) throws {
    let (option, message) = Self.optionMistakes[index]
    #expect(try ConfigurationFixture.message { try ConfigurationFixture.read(options: [option]) } == message)
  }

  @Test func noticesNameTheKeyAndTheReason() throws {
    let read = try ConfigurationFixture.read(
      replacing: "workflow: [[train, 1]]",
      with: "dist_params: {backend: nccl}\ncudnn_benchmark: true\ndata_root: data/coco/")
    #expect(
      read.notices.map { $0.replacing(/c\.yaml:\d+:/, with: "c.yaml:N:") } == [
        "c.yaml:N:1: notice: 'dist_params' has no meaning here: MPI is started by mpirun",
        "c.yaml:N:1: notice: 'cudnn_benchmark' has no meaning here: there is no GPU",
        "c.yaml:N:1: notice: 'data_root' has no meaning here: a variable of the Python file; "
          + "its value already stands where it was used",
      ])
  }
}
