import Testing
import Training

extension ProgramTests {
  @Suite("The same result on any number of ranks", .long) struct ExactReduction {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    /// Weights on positives and on classes, and a norm that is clipped; 22 images in batches of 8.
    private let options = [
      "mpi.reduction=exact", "mpi.global_batch=8", "mpi.bucket_size_mb=0.02",
      "model.train_cfg.rpn.pos_weight=1.7",
      "model.roi_head.bbox_head.loss_cls.class_weight=[0.3,0.7,1.1,1.9,0.5,1.3]",
      "optimizer_config.grad_clip.max_norm=0.5", "checkpoint_config.interval=2", "checkpoint_config.by_epoch=false",
    ]

    private func train(
      _ name: String, ranks: Int, iterations: Int = 5, options: [String] = [], arguments: [String] = []
    ) throws -> (model: Checkpoint, log: TrainingLog) {
      let log = try run.train(
        name, ranks: ranks, batch: 8, iterations: iterations, options: self.options + options, arguments: arguments)
      return (try run.checkpoint("\(name)/latest.h5"), log)
    }

    private func expectSameBits(_ actual: Checkpoint, _ expected: Checkpoint, _ what: String) {
      #expect(actual.iteration == expected.iteration && actual.progress == expected.progress, "\(what)")
      for (mine, other) in [(actual.model, expected.model), (actual.momenta, expected.momenta)] {
        #expect(!mine.isEmpty && mine.map(\.name) == other.map(\.name), "\(what)")
        for (array, reference) in zip(mine, other)
        where array.values.map(\.bitPattern) != reference.values.map(\.bitPattern) {
          Issue.record("\(what): \(array.name) differs")
        }
      }
    }

    private static let weight = ["model.train_cfg.rcnn.pos_weight=0.3"]

    @Test(
      "Parameters, momenta and losses have the same bits on 1, 2, 3, 4 and 8 ranks, and on 1 and 2 threads",
      arguments: [weight, TinyRun.cascade])
    func sameBits(_ detector: [String]) throws {
      let alone = try train("1", ranks: 1, options: detector)
      #expect(alone.log.steps.count == 5)
      for ranks in [2, 3, 4, 8] {
        let (model, log) = try train("\(ranks)", ranks: ranks, options: detector)
        expectSameBits(model, alone.model, "\(ranks) ranks")
        log.expectSameLosses(as: alone.log.steps[...], tolerance: 0, "\(ranks) ranks")
      }
      for ranks in [1, 3] {
        let threads = detector + ["mpi.threads_per_rank=2"]
        let model = try train("\(ranks) of 2 threads", ranks: ranks, options: threads).model
        expectSameBits(model, alone.model, "\(ranks) ranks of 2 threads")
      }
    }

    @Test("… also of grouped and dilated convolutions, whose weights are standardised")
    func sameBitsOfAnotherBackbone() throws {
      let options = [
        "model.backbone.type=ResNeXt", "model.backbone.depth=50", "model.backbone.groups=2",
        "model.backbone.base_width=4", "model.backbone.conv_cfg={type: ConvWS}", "model.backbone.avg_down=true",
        "model.backbone.deep_stem=true", "model.backbone.strides=[1,2,2,1]", "model.backbone.dilations=[1,1,1,2]",
        "model.neck.in_channels=[32,64,128,256]", "model.rpn_head.anchor_generator.strides=[4,8,16,16,32]",
        "model.roi_head.bbox_roi_extractor.featmap_strides=[4,8,16,16]", "mpi.recompute=[2,4]",
      ]
      let alone = try train("other 1", ranks: 1, iterations: 2, options: options)
      let three = try train("other 3", ranks: 3, iterations: 2, options: options)
      expectSameBits(three.model, alone.model, "3 ranks")
      three.log.expectSameLosses(as: alone.log.steps[...], tolerance: 0, "3 ranks")
    }

    @Test("… and after a resume on 3 and on 1 rank in the middle of an epoch")
    func resumed() throws {
      let resume = ["--resume", "auto"]
      let straight = try train("straight", ranks: 2, iterations: 5, options: Self.weight).model
      let eight = try train("resumed", ranks: 8, iterations: 2, options: Self.weight).model
      let three = try train("resumed", ranks: 3, iterations: 3, options: Self.weight, arguments: resume)
      #expect(three.log.steps.count == 1)
      for model in [eight, three.model] { #expect(model.progress["images_in_epoch"] != 0) }
      let last = try train("resumed", ranks: 1, iterations: 5, options: Self.weight, arguments: resume)
      #expect(last.log.steps.count == 2)
      expectSameBits(last.model, straight, "8, 3 and 1 ranks")
    }

    @Test("A batch that does not divide is shared unevenly, whatever samples_per_gpu says") func unevenShares() throws {
      let options = ["mpi.global_batch=8", "data.samples_per_gpu=4"]
      let alone = try run.train("even", ranks: 1, batch: 8, iterations: 2, options: options)
      let three = try run.train("uneven", ranks: 3, batch: 8, iterations: 2, options: options)
      three.expectSameLosses(as: alone.steps[...], "3 ranks")
      let notice = "'data.samples_per_gpu' gives way to 'mpi.global_batch': 3 ranks share 8 images a step, not 12"
      let dry = ["train", "tiny.yaml", "--dry-run", "--cfg-options"] + options
      let outcome = try run.program.succeed(dry, ranks: 3)
      #expect(outcome.output.contains(notice), "\(outcome)")
      #expect(outcome.output.contains("images a rank: 3 or 2, global batch: 8"), "\(outcome)")
      let two = try run.program.succeed(dry, ranks: 2)
      #expect(!two.output.contains("gives way") && two.output.contains("images a rank: 4, global batch: 8"), "\(two)")
    }

    @Test(
      "What can't be shared, or can't be exact, is refused with a sentence",
      arguments: [
        (["mpi.global_batch=2"], "'mpi.global_batch' is 2, which gives no image to some of the 3 ranks"),
        (
          ["mpi.global_batch=8", "mpi.loss_normalizer=per_rank"],
          "which 3 ranks share unevenly, and with 'mpi.loss_normalizer: per_rank'"
        ),
        (["mpi.reduction=exact", "mpi.loss_normalizer=per_rank"], "'mpi.reduction' is exact, which 'mpi.loss_norm"),
        (
          ["mpi.reduction=exact", "model.backbone.norm_cfg={type: SyncBN}"],
          "'mpi.reduction' is exact, which the norms of model.backbone forbid"
        ),
        (
          ["mpi.reduction=exact", "model.neck.norm_cfg={type: BN}"],
          "'mpi.reduction' is exact, which the norms of model.neck forbid"
        ),
      ])
    func refused(_ options: [String], _ message: String) throws {
      let command = run.command("refused", ranks: 1, batch: 3, iterations: 1, options: options)
      let outcome = try run.program.run(command, ranks: 3)
      #expect(outcome.code == 78 && outcome.errors.contains(message), "\(outcome)")
      #expect(!run.folder.exists("refused"))
    }
  }
}
