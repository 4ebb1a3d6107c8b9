import Detection
import Layers

/// A configuration as read: typed, as text, and what its user should be told.
public struct ReadConfiguration: Sendable {
  public let run: RunConfiguration
  /// The whole configuration as one YAML text, bases and options merged in. Read again it gives the same `run`.
  public let resolved: String
  /// A line for each key that is accepted and has no meaning here, and for each file that came with the program.
  public let notices: [String]
  /// Those of `notices` that are about files that came with the program, for commands that print no others.
  let shippedNotices: [String]
  /// The values of `resolved` that are no mappings, by their dotted paths, in order.
  let leaves: [(key: String, value: String)]

  /// - Parameters:
  ///   - file: a YAML or JSON file.
  ///   - options: `KEY=VALUE` texts, applied in order.
  ///   - shipped: where files are looked for that are not where they are said to be.
  /// - Throws: `ConfigurationError`.
  public init(
    file: String, options: [String] = [], shipped: ShippedConfigurations? = .ofThisProgram
  ) throws {
    var loader = ConfigurationLoader(shipped: shipped)
    let node = try loader.load(file: file)
    try self.init(node, name: Self.stem(of: file), options: options, found: loader.notices)
  }

  /// - Parameters:
  ///   - text: YAML, for example the `config` attribute of a checkpoint.
  ///   - name: what messages call the text, and the default work directory's name.
  ///   - options: `KEY=VALUE` texts, applied in order.
  public init(text: String, name: String, options: [String] = []) throws {
    var loader = ConfigurationLoader(shipped: .ofThisProgram)
    let node = try loader.load(text: text, name: name)
    try self.init(node, name: Self.stem(of: name), options: options, found: loader.notices)
  }

  private init(_ node: ConfigurationNode, name: String, options: [String], found: [String]) throws {
    var node = node
    for option in options { node = try ConfigurationOption(option).applied(to: node) }
    let notices = ConfigurationNotices()
    node = try MMDetection3.translated(node, notices: notices)
    let section = try ConfigurationSection(node, path: "", place: node.place, notices: notices)
    var run = try RunConfiguration(section)
    if run.workDir.isEmpty {
      run.workDir = "work_dirs/\(name)"
      node.set("work_dir", to: run.workDir)
    }
    try run.check(against: node)
    self.run = run
    shippedNotices = found
    self.notices = found + notices.lines + run.notices(about: node)
    resolved = try node.yaml()
    leaves = node.leaves(of: "")
  }

  /// A file's name without its folders and its ending.
  static func stem(of path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file
  }
}

extension RunConfiguration {
  init(_ section: ConfigurationSection) throws {
    try readModel(section)
    data = try section.requiredSection("data", DataSection.init)
    runner = try RunnerSection(topLevel: section)
    evaluation = try EvaluationSection.read(topLevel: section, runner: runner, hasData: data.val != nil)
    optimizer = try section.requiredSection("optimizer", OptimizerConfiguration.init)
    if let hook = try section.section("optimizer_config", OptimizerHookSection.init) {
      (optimizer.gradClip, cumulativeIters) = (hook.gradClip, hook.cumulativeIters)
    }
    average = try AverageConfiguration.read(topLevel: section)
    learningRate =
      try section.section("lr_config") { try LearningRateConfiguration($0, runner: runner) } ?? learningRate
    autoScaleLR = try section.section("auto_scale_lr", AutoScaleLRSection.init) ?? autoScaleLR
    checkpoint = try section.section("checkpoint_config") { try CheckpointSection($0, runner: runner) }
    log.byEpoch = runner.countsEpochs
    log = try section.section("log_config") { try LogSection($0, runner: runner) } ?? log
    loadFrom = try section.optional("load_from")
    resumeFrom = try section.optional("resume_from")
    try section.read("work_dir", into: &workDir)
    try section.read("seed", into: &seed)
    try section.check(seed >= 0, "seed", expected: "a number from 0 on")
    try section.section("mpi") { try readMPI($0) }
    data.usePictureRules(mpi.pictureRules)
    try readRest(section)
    try section.close(
      noticing: "has no meaning here: no key of this name is known, so it was taken for a variable of the Python file")
  }

  private mutating func readMPI(_ section: ConfigurationSection) throws {
    mpi = try MPISection(section)
    try section.read("keep_levels_in_graph", into: &model.keepLevelsInGraph)
    try section.read("recompute", into: &model.recompute)
    try section.check(
      model.recompute.allSatisfy { (1...model.backbone.numStages).contains($0) }, "recompute",
      expected: "stages of the backbone, from 1 to \(model.backbone.numStages)")
    if !model.recompute.isEmpty, model.backbone.usesBatchStatistics {
      throw section.error(
        "recompute", "needs a norm that can be computed twice: the batch's statistics would be gathered twice",
        hint: "set model.backbone.norm_eval: true, or norm_cfg: {type: GN}")
    }
    if let normalizer: LossNormalizer = try section.optional("loss_normalizer") {
      model.normalizesLossesGlobally = normalizer == .global
    }
    if mpi.reduction == .exact { try checkExact(section) }
  }

  /// What makes an image's gradients depend on the images beside it.
  private func checkExact(_ section: ConfigurationSection) throws {
    guard model.normalizesLossesGlobally else {
      throw section.error(
        "reduction", "is exact, which 'mpi.loss_normalizer: per_rank' forbids: each rank divides by counts of its own",
        hint: "set mpi.loss_normalizer: global")
    }
    guard !model.backbone.usesBatchStatistics else {
      throw section.error(
        "reduction", "is exact, which the norms of model.backbone forbid: they gather statistics of the batch",
        hint: "set model.backbone.norm_eval: true, or norm_cfg: {type: GN}")
    }
    guard model.neck?.usesBatchStatistics != true else {
      throw section.error(
        "reduction", "is exact, which the norms of model.neck forbid: they gather statistics of the batch",
        hint: "set model.neck.norm_cfg: {type: GN}, or leave it out")
    }
    guard model.roiHead?.usesBatchStatistics != true else {
      throw section.error(
        "reduction", "is exact, which the norms of model.roi_head forbid: they gather statistics of the batch",
        hint: "set norm_cfg: {type: GN} in a head or an extractor's modules, and shared_head.norm_eval: true; "
          + "DoubleConvFCBBoxHead always has such norms")
    }
  }

  /// Keys that mmdetection's configurations carry and that change nothing here.
  private func readRest(_ section: ConfigurationSection) throws {
    if let workflow = section.node("workflow"), !Self.isTrainingAlone(workflow) {
      throw section.error(
        "workflow", "is \(workflow.summary), which is not supported yet",
        hint: "supported: [[train, 1]]; 'evaluation' measures on data.val")
    }
    try section.unsupported("momentum_config", "custom_imports")
    section.ignore("dist_params", because: "MPI is started by mpirun")
    section.ignore("cudnn_benchmark", "device", "gpu_ids", "gpus", because: "there is no GPU")
    section.ignore("opencv_num_threads", "mp_start_method", because: "images are prepared by threads of this program")
    section.ignore("find_unused_parameters", because: "every parameter takes part in every step")
    section.ignore("fp16", because: "everything is computed in float32")
    section.ignore("deterministic", because: "runs are repeatable anyway")
    section.ignore("log_level", because: "all messages are written")
    section.ignoreVariables(
      "dataset_type", "data_root", "img_norm_cfg", "classes", "CLASSES", "img_scale", "train_pipeline", "val_pipeline",
      "test_pipeline")
  }
}

extension RunConfiguration {
  /// What one part of the configuration takes away from another.
  /// - Parameter node: where the values were read.
  fileprivate func notices(about node: ConfigurationNode) -> [String] {
    let isCascade = model.roiHead?.kind == .cascade
    var assigners = (model.roiHead?.stages ?? []).enumerated().map {
      (isCascade ? ["rcnn", "\($0)"] : ["rcnn"], $1.assigner)
    }
    if case .rpnHead(let rpnHead) = model.source { assigners.insert((["rpn"], rpnHead.assigner), at: 0) }
    var pictures: [String] = []
    if log.tensorBoard == nil, let written = node.value(at: ["mpi", "tensorboard_pictures"]) {
      pictures = [
        "\(written.place.description): notice: 'mpi.tensorboard_pictures' has no effect: there is no TensorboardLoggerHook"
      ]
    }
    return pictures
      + assigners.compactMap { path, assigner in
        guard case .maxIoU(let assigner) = assigner, assigner.ignoreIoFThr > 0, !data.train.collectsIgnored else {
          return nil
        }
        let key = ["model", "train_cfg"] + path + ["assigner", "ignore_iof_thr"]
        let place = node.value(at: key) ?? node.value(at: key.dropFirst()) ?? node
        return """
          \(place.place.description): notice: '\(key.joined(separator: "."))' has no effect: 'Collect' in data.train does \
          not name gt_bboxes_ignore
          """
      }
  }

  /// `[[train, 1]]`.
  private static func isTrainingAlone(_ workflow: ConfigurationNode) -> Bool {
    guard let flows = workflow.elements, flows.count == 1, let flow = flows[0].elements, flow.count == 2 else {
      return false
    }
    return String(configuration: flow[0]) == "train" && Int(configuration: flow[1]) == 1
  }
}

enum LossNormalizer: String, ConfigurationChoice {
  case global
  case perRank = "per_rank"
}
