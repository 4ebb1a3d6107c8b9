/// A configuration in mmdetection 3's words, turned into 2.11's where both mean the same: data loaders, loops, schedulers,
/// hooks, the optimiser's wrapper, the data preprocessor. Values keep their places, so that messages point at what was
/// written.
enum MMDetection3 {
  private static let marks = [
    "train_dataloader", "val_dataloader", "test_dataloader", "optim_wrapper", "param_scheduler", "val_evaluator",
    "test_evaluator", "default_hooks", "val_cfg",
  ]

  /// The configuration in 2.11's words; unchanged where it is in them already.
  /// - Throws: `ConfigurationError` for what 2.11 has no counterpart of.
  static func translated(
    _ node: ConfigurationNode, notices: ConfigurationNotices
  ) throws -> ConfigurationNode {
    guard let mark = marks.lazy.compactMap({ node.entry($0) }).first else { return node }
    if let older = ["data", "optimizer", "lr_config", "runner"].lazy.compactMap({ node.entry($0) }).first {
      throw ConfigurationError(
        mark.place, "'\(mark.key)' is mmdetection 3's, and '\(older.key)' at \(older.place.description) is 2's",
        hint: "use the keys of one of them")
    }
    notices.lines.append(
      "\(mark.place.description): notice: '\(mark.key)' is mmdetection 3's: the configuration is read as 2.11's of the same meaning"
    )
    var top = try NewerPart(node, path: "", notices: notices)
    let preprocessor = try readModel(&top)
    try readData(&top, preprocessor)
    var evaluation = try readEvaluator(&top)
    try readLoops(&top, &evaluation)
    try readHooks(&top, &evaluation)
    top.set(
      "evaluation",
      to: evaluation?.node ?? ConfigurationNode(content: .scalar("null", isQuoted: false), place: node.place))
    try readOptimizer(&top)
    try readSchedulers(&top)
    try readRest(&top)
    return top.node
  }

  /// `model.data_preprocessor`, which is 2.11's `Normalize` and `Pad`; and `init_cfg` of the backbone, which is `pretrained`.
  private static func readModel(_ top: inout NewerPart) throws -> [ConfigurationNode] {
    guard var model = try top.takePart("model") else { return [] }
    var steps: [ConfigurationNode] = []
    if var preprocessor = try model.takePart("data_preprocessor") {
      try preprocessor.require("type", "DetDataPreprocessor")
      try preprocessor.refuse("batch_augments", "non_blocking", "boxtype2tensor", "pad_seg", "rgb_to_bgr")
      preprocessor.drop("pad_mask", "mask_pad_value", "pad_value", because: "there are no masks, and 0 is padded with")
      var normalize = try NewerPart(preprocessor.node.emptied, path: "", notices: top.notices)
      normalize.set("type", to: "Normalize", isQuoted: true)
      normalize.set("mean", to: preprocessor.take("mean"))
      normalize.set("std", to: preprocessor.take("std"))
      normalize.set("to_rgb", to: "false")
      normalize.set("to_rgb", to: preprocessor.take("bgr_to_rgb"))
      var pad = try NewerPart(preprocessor.node.emptied, path: "", notices: top.notices)
      pad.set("type", to: "Pad", isQuoted: true)
      pad.set("size_divisor", to: "1")
      pad.set("size_divisor", to: preprocessor.take("pad_size_divisor"))
      steps = normalize.has("mean") ? [normalize.node, pad.node] : [pad.node]
      try preprocessor.close()
    }
    if var backbone = try model.takePart("backbone") {
      if var initial = try backbone.takePart("init_cfg") {
        try initial.require("type", "Pretrained")
        model.set("pretrained", to: initial.take("checkpoint"))
        try initial.refuse("prefix")
        try initial.close()
      }
      model.set("backbone", to: backbone.node)
    }
    top.set("model", to: model.node)
    return steps
  }

  /// `val_evaluator`: what `evaluation` says about metrics. nil where nothing is measured.
  private static func readEvaluator(_ top: inout NewerPart) throws -> NewerPart? {
    if top.has("val_evaluator"), top.has("test_evaluator") {
      top.drop("test_evaluator")
    } else {
      top.drop("test_evaluator", because: "the command 'test' measures as 'val_evaluator' says")
    }
    guard var evaluator = try top.takePart("val_evaluator") else { return nil }
    try evaluator.require("type", "CocoMetric")
    evaluator.drop("ann_file", because: "detections are measured on the annotations of the data set itself")
    evaluator.drop("outfile_prefix", "format_only", because: "the command 'test' writes detections with --out")
    evaluator.drop("collect_device", "prefix", "sort_categories", "use_mp_eval", "backend_args", "file_client_args")
    return evaluator
  }

  /// `train_cfg` with its loop, `val_cfg`, `test_cfg`: runner and interval.
  private static func readLoops(_ top: inout NewerPart, _ evaluation: inout NewerPart?) throws {
    for (key, loop) in [("val_cfg", "ValLoop"), ("test_cfg", "TestLoop")] {
      guard var part = try top.takePart(key) else { continue }
      try part.require("type", loop)
      try part.refuse("fp16")
      try part.close()
    }
    guard var loop = try top.takePart("train_cfg") else { return }
    let type = loop.take("type")
    let byEpoch = loop.take("by_epoch").flatMap(Bool.init(configuration:)) ?? true
    let name = type.flatMap(String.init(configuration:)) ?? (byEpoch ? "EpochBasedTrainLoop" : "IterBasedTrainLoop")
    let runners = ["EpochBasedTrainLoop": "EpochBasedRunner", "IterBasedTrainLoop": "IterBasedRunner"]
    guard let runner = runners[name] else {
      throw ConfigurationError(type?.place ?? loop.node.place, "'train_cfg.type' is \(name), which is not supported")
    }
    try loop.refuse("dynamic_intervals")
    evaluation?.set("interval", to: loop.take("val_interval"))
    evaluation?.set("start", to: loop.take("val_begin"))
    loop.drop("val_interval", "val_begin", because: "there is no 'val_evaluator'")
    loop.set("type", to: runner, isQuoted: true)
    top.set("runner", to: loop.node)
  }

  private static func readRest(_ top: inout NewerPart) throws {
    if var randomness = try top.takePart("randomness") {
      top.set("seed", to: randomness.take("seed"))
      randomness.drop(
        "deterministic", "diff_rank_seed", because: "runs are repeatable, and draws don't depend on ranks")
      try randomness.close()
    }
    if let resume = top.take("resume"), Bool(configuration: resume) != false {
      throw ConfigurationError(resume.place, "'resume' is not followed here", hint: "use --resume auto")
    }
    try top.require("default_scope", "mmdet")
    top.drop("env_cfg", because: "there is no GPU, and MPI is started by mpirun")
    top.drop("vis_backends", "visualizer", because: "TensorBoard's files are asked for with 'log_config.hooks'")
    top.drop("log_processor", because: "losses are means over 'interval' iterations")
    top.drop("launcher", because: "MPI is started by mpirun")
    top.drop("backend_args", "tta_model", "tta_pipeline", "log_level")
  }
}
