import Layers
import Testing
import Training

/// What `runner`, `evaluation`, `lr_config`, `checkpoint_config` and `log_config` count, against mmcv 1.3's runners and
/// mmdetection 2.11's `EvalHook`.
@Suite struct ConfigurationRunnerTests {
  private static let runner = "runner: {type: EpochBasedRunner, max_epochs: 12}"
  private static let iterations = "runner: {type: IterBasedRunner, max_iters: 900}"
  private static let evaluation = "evaluation: {interval: 4, metric: bbox, classwise: true}\n"

  @Test func iterBasedRunnerCountsIterationsEverywhere() throws {
    let run = try ConfigurationFixture.read(replacing: Self.runner, with: Self.iterations).run
    #expect(run.runner.kind == .iterBased && run.runner.maxIters == 900 && run.runner.maxEpochs == nil)
    #expect(!run.learningRate.byEpoch)
    #expect(run.checkpoint?.byEpoch == false && run.evaluation?.byEpoch == false && !run.log.byEpoch)
    let epochs = try ConfigurationFixture.read(options: []).run
    #expect(epochs.learningRate.byEpoch && epochs.checkpoint?.byEpoch == true && epochs.evaluation?.byEpoch == true)
    #expect(epochs.log.byEpoch)
  }

  @Test func whatIsWrittenWinsOverTheRunner() throws {
    let read = try ConfigurationFixture.read(
      replacing: Self.runner, with: Self.iterations,
      options: [
        "lr_config.by_epoch=true", "checkpoint_config.by_epoch=true", "evaluation.by_epoch=true",
        "log_config.hooks.0.by_epoch=true", "log_config.hooks.0.interval=7",
      ])
    #expect(read.run.learningRate.byEpoch && read.run.checkpoint?.byEpoch == true)
    #expect(read.run.evaluation?.byEpoch == true && read.run.log.byEpoch && read.run.log.interval == 7)
    #expect(
      read.notices.map { $0.replacing(/c\.yaml:\d+:/, with: "c.yaml:N:") } == [
        "--cfg-options: notice: 'evaluation.by_epoch' is followed here; mmdetection goes by the runner, IterBasedRunner",
        "c.yaml:N:14: notice: 'log_config.interval' gives way to the interval of TextLoggerHook",
      ])
  }

  @Test func iterBasedRunnerNeedsIterations() throws {
    let message = try ConfigurationFixture.message {
      try ConfigurationFixture.read(replacing: Self.runner, with: "runner: {type: IterBasedRunner, max_epochs: 12}")
    }
    #expect(message.contains("error: 'runner' lacks 'max_iters' (a whole number)"))
  }

  @Test func withoutEvaluationEveryEpochIsMeasured() throws {
    let absent = try ConfigurationFixture.read(replacing: Self.evaluation, with: "")
    #expect(absent.run.evaluation?.interval == 1 && absent.run.evaluation?.byEpoch == true && absent.notices.isEmpty)
    let null = try ConfigurationFixture.read(replacing: Self.evaluation, with: "evaluation: null\n")
    #expect(null.run.evaluation == nil)
    let noData = try ConfigurationFixture.read(
      replacing: Self.evaluation, with: "", options: ["data.val=null"])
    #expect(noData.run.evaluation == nil)
    #expect(noData.notices.count == 1 && noData.notices[0].contains("'data.val' is absent: nothing is measured"))
    let iterations = try ConfigurationFixture.read(
      replacing: Self.evaluation, with: "", options: ["runner={type: IterBasedRunner, max_iters: 9}"])
    #expect(iterations.run.evaluation?.byEpoch == true)
    #expect(iterations.notices.count == 1 && iterations.notices[0].contains("after every iteration"))
  }

  @Test(
    arguments: [
      ("{policy: Exp, gamma: 0.5}", .exp(gamma: 0.5)), ("{policy: poly}", .poly(power: 1, minLR: 0)),
      ("{policy: poly, power: 0.9, min_lr: 1e-4}", .poly(power: 0.9, minLR: 1e-4)),
      ("{policy: inv, gamma: 0.1}", .inv(gamma: 0.1, power: 1)),
      ("{policy: CosineAnnealing, min_lr: 0}", .cosineAnnealing(target: .rate(0))),
      ("{policy: CosineAnnealing, min_lr_ratio: 0.01}", .cosineAnnealing(target: .ratio(0.01))),
      ("{policy: cyclic, target_ratio: [4]}", .cyclic(ratios: .init(up: 4, down: 4e-5), times: 1, stepRatioUp: 0.4)),
      (
        "{policy: cyclic, target_ratio: [10, 1e-4], cyclic_times: 2, step_ratio_up: 0.3}",
        .cyclic(ratios: .init(up: 10, down: 1e-4), times: 2, stepRatioUp: 0.3)
      ),
    ] as [(String, LearningRateConfiguration.Policy)])
  func policies(text: String, policy: LearningRateConfiguration.Policy) throws {
    let rate = try ConfigurationFixture.read(options: ["lr_config=\(text)"]).run.learningRate
    #expect(rate.policy == policy)
    if case .cyclic = policy { #expect(!rate.byEpoch) } else { #expect(rate.byEpoch) }
  }

  @Test(arguments: [
    ("{policy: OneCycle, max_lr: 1}", "'lr_config.policy' is 'OneCycle', which is not supported yet"),
    ("{policy: CosineAnnealing}", "'lr_config' lacks 'min_lr'"),
    ("{policy: CosineAnnealing, min_lr: 0, min_lr_ratio: 0}", "'lr_config.min_lr' stands beside 'min_lr_ratio'"),
    ("{policy: cyclic, by_epoch: true}", "'lr_config.by_epoch' is true, expected false"),
    ("{policy: cyclic, step_ratio_up: 1}", "'lr_config.step_ratio_up' is 1"),
    ("{policy: poly, gamma: 1}", "unknown key 'gamma' in 'lr_config'"),
  ]) func wrongPolicies(text: String, message: String) throws {
    let found = try ConfigurationFixture.message { try ConfigurationFixture.read(options: ["lr_config=\(text)"]) }
    #expect(found.contains(message), "\(found)")
  }

  @Test func warmUpKeysWithoutWarmUpAreNoticed() throws {
    let read = try ConfigurationFixture.read(options: ["lr_config.warmup=null"])
    #expect(read.notices.count == 2)
    #expect(read.notices.allSatisfy { $0.contains("has no meaning here: 'warmup' is not set") })
  }

  /// After how many of 12 epochs it is measured; 0 is before the first step.
  static let starts: [(options: [String], due: [Int])] = [
    (["interval=3"], [3, 6, 9, 12]),
    (["interval=1", "start=10"], [10, 11, 12]),
    (["interval=4", "start=3"], [3, 7, 11]),
    (["interval=4", "start=0"], [4, 8, 12]),
    (["interval=1", "start=0"], Array(0...12)),
  ]

  @Test(arguments: starts.indices, [true, false])
  func evaluationBeginsAtItsStart(_ index: Int, byEpoch: Bool) throws {
    let (options, due) = Self.starts[index]
    let runner = byEpoch ? "{type: EpochBasedRunner, max_epochs: 12}" : "{type: IterBasedRunner, max_iters: 12}"
    let run = try ConfigurationFixture.read(options: options.map { "evaluation.\($0)" } + ["runner=\(runner)"]).run
    let plan = RunPlan(run, iterationsPerEpoch: 5, validates: true)
    func position(_ done: Int) -> Position {
      byEpoch ? Position(epoch: done, images: 0, iteration: 5 * done) : Position(epoch: 0, images: 1, iteration: done)
    }
    let first = plan.evaluationIsDueAtFirst(position(0)) ? [0] : []
    #expect(first + (1...12).filter { plan.evaluationIsDue(position($0), epochIsDone: byEpoch) } == due)
    #expect(!byEpoch || !plan.evaluationIsDue(position(12), epochIsDone: false))
  }

  @Test func aResumedRunMeasuresFirstWhereTheNextEpochIsDue() throws {
    let run = try ConfigurationFixture.read(options: ["evaluation={interval: 2, start: 3}"]).run
    let plan = RunPlan(run, iterationsPerEpoch: 5, validates: true)
    let due = (0..<8).filter { plan.evaluationIsDueAtFirst(Position(epoch: $0, images: 0, iteration: 5 * $0)) }
    #expect(due == [4, 6])
    #expect(!plan.evaluationIsDueAtFirst(Position(epoch: 4, images: 2, iteration: 21)))
  }

  @Test func tensorBoardsHookHasMMCVsOptions() throws {
    let plain = try ConfigurationFixture.read(options: [
      "log_config={interval: 7, hooks: [{type: TensorboardLoggerHook}]}"
    ])
    var expected = TensorBoardSection()
    expected.interval = 7
    #expect(plain.run.log.tensorBoard == expected && plain.run.log.interval == 7 && plain.notices.isEmpty)
    let all = try ConfigurationFixture.read(
      replacing: Self.runner, with: Self.iterations,
      options: [
        "log_config={interval: 7, hooks: [{type: TextLoggerHook, interval: 5}, {type: TensorboardLoggerHook, "
          + "log_dir: a/b, interval: 3, ignore_last: false, reset_flag: false}]}"
      ])
    (expected.logDir, expected.interval, expected.ignoreLast, expected.byEpoch) = ("a/b", 3, false, false)
    #expect(all.run.log.tensorBoard == expected && all.run.log.interval == 5)
    #expect(all.notices.contains { $0.contains("'log_config.hooks.1.reset_flag' has no meaning here") })
    #expect(try ConfigurationFixture.read(options: []).run.log.tensorBoard == nil)
    let idle = try ConfigurationFixture.read(options: ["mpi.tensorboard_pictures=2"])
    #expect(
      idle.notices == [
        "--cfg-options: notice: 'mpi.tensorboard_pictures' has no effect: there is no TensorboardLoggerHook"
      ])
  }

  @Test(arguments: [
    ("{type: TensorboardLoggerHook, interval: 0}", "'log_config.hooks.0.interval' is 0, expected a number from 1 on"),
    ("{type: TensorboardLoggerHook, logdir: x}", "did you mean 'log_dir'?"),
    (
      "{type: TensorboardLoggerHook}, {type: TensorboardLoggerHook}",
      "'log_config.hooks.1.type' is TensorboardLoggerHook for a second time"
    ),
  ]) func wrongHooks(hooks: String, message: String) throws {
    let found = try ConfigurationFixture.message {
      try ConfigurationFixture.read(options: ["log_config={interval: 7, hooks: [\(hooks)]}"])
    }
    #expect(found.contains(message), "\(found)")
  }
}
