extension MMDetection3 {
  /// `optim_wrapper`: `optimizer` and `optimizer_config`.
  static func readOptimizer(_ top: inout NewerPart) throws {
    guard var wrapper = try top.takePart("optim_wrapper") else { return }
    let type = wrapper.take("type")
    switch type.flatMap(String.init(configuration:)) ?? "OptimWrapper" {
    case "OptimWrapper": break
    case "AmpOptimWrapper":
      wrapper.notice(type?.place ?? wrapper.node.place, "type", "is AmpOptimWrapper: everything is computed in float32")
      wrapper.drop("loss_scale", "dtype", "use_fsdp")
    default: throw ConfigurationError(type?.place ?? wrapper.node.place, "'optim_wrapper.type' is not supported")
    }
    if var optimizer = try wrapper.takePart("optimizer") {
      optimizer.set("paramwise_cfg", to: wrapper.take("paramwise_cfg"))
      top.set("optimizer", to: optimizer.node)
    }
    var config = try NewerPart(wrapper.node.emptied, path: "optimizer_config", notices: top.notices)
    config.set("grad_clip", to: wrapper.take("clip_grad"))
    if let steps = wrapper.take("accumulative_counts"), Int(configuration: steps) != 1 {
      config.set("type", to: "GradientCumulativeOptimizerHook", isQuoted: true)
      config.set("cumulative_iters", to: steps)
    }
    try wrapper.close()
    top.set("optimizer_config", to: config.node)
  }

  /// `param_scheduler`: a warm-up from the first iteration on, and one schedule.
  static func readSchedulers(_ top: inout NewerPart) throws {
    let node = top.take("param_scheduler")
    let place = node?.place ?? top.node.place
    var lr = try NewerPart(
      ConfigurationNode(content: .mapping([]), place: place), path: "lr_config", notices: top.notices)
    lr.set("policy", to: "fixed", isQuoted: true)
    let list = node.map { $0.isMapping ? [$0] : $0.elements ?? [$0] } ?? []
    for scheduler in list {
      var part = try NewerPart(scheduler, path: "param_scheduler", notices: top.notices)
      let type = part.takeText("type") ?? ""
      if let begin = part.take("begin"), Int(configuration: begin) != 0 {
        throw ConfigurationError(
          begin.place, "'param_scheduler.begin' is \(begin.summary), expected 0: in 2.11 every schedule begins at 0")
      }
      part.drop("convert_to_iter_based", "verbose")
      switch type {
      case "LinearLR", "ConstantLR": try readWarmUp(&part, type, &lr)
      default: try readSchedule(&part, type, &lr)
      }
      try part.close()
    }
    top.set("lr_config", to: lr.node)
  }

  private static func readWarmUp(_ part: inout NewerPart, _ type: String, _ lr: inout NewerPart) throws {
    lr.set("warmup", to: type == "LinearLR" ? "linear" : "constant", isQuoted: true)
    lr.set("warmup_by_epoch", to: "true")
    lr.set("warmup_by_epoch", to: part.take("by_epoch"))
    lr.set("warmup_ratio", to: "0.3333333333333333")
    lr.set("warmup_ratio", to: part.take(type == "LinearLR" ? "start_factor" : "factor"))
    try part.require("end_factor", "1", "1.0")
    guard let end = part.take("end") else {
      throw ConfigurationError(part.node.place, "'param_scheduler' has a \(type) without 'end'")
    }
    lr.set("warmup_iters", to: end)
  }

  private static func readSchedule(_ part: inout NewerPart, _ type: String, _ lr: inout NewerPart) throws {
    guard lr.value("policy").flatMap(String.init(configuration:)) == "fixed" else {
      throw ConfigurationError(part.node.place, "'param_scheduler' has a second schedule, \(type); 2.11 has one")
    }
    let policies = [
      "MultiStepLR": "step", "StepLR": "step", "CosineAnnealingLR": "CosineAnnealing", "PolyLR": "poly",
      "ExponentialLR": "exp",
    ]
    guard let policy = policies[type] else {
      throw ConfigurationError(
        part.node.place, "'param_scheduler.type' is '\(type)', which has no counterpart here",
        hint: "supported: LinearLR, ConstantLR, \(policies.keys.sorted().joined(separator: ", "))")
    }
    lr.set("policy", to: policy, isQuoted: true)
    lr.set("by_epoch", to: "true")
    lr.set("by_epoch", to: part.take("by_epoch"))
    for (newer, older) in [
      ("milestones", "step"), ("step_size", "step"), ("gamma", "gamma"), ("power", "power"), ("eta_min", "min_lr"),
      ("eta_min_ratio", "min_lr_ratio"),
    ] {
      lr.set(older, to: part.take(newer))
    }
    part.drop("end", "T_max", because: "the schedule ends with the run")
  }

  /// `default_hooks`: logs and checkpoints.
  static func readHooks(_ top: inout NewerPart, _ evaluation: inout NewerPart?) throws {
    guard var hooks = try top.takePart("default_hooks") else { return }
    hooks.drop("timer", "param_scheduler", "sampler_seed", "runtime_info")
    hooks.drop("visualization", because: "the command 'predict' draws")
    if var logger = try hooks.takePart("logger") {
      try logger.require("type", "LoggerHook")
      logger.drop(
        "ignore_last", "interval_exp_name", "out_dir", "log_metric_by_epoch",
        because: "lines come every 'interval' iterations")
      top.set("log_config", to: logger.node)
    }
    if var checkpoint = try hooks.takePart("checkpoint") {
      try checkpoint.require("type", "CheckpointHook")
      if let best = checkpoint.take("save_best") {
        var text = best
        if let name = String(configuration: best), name.hasPrefix("coco/") {
          text.content = .scalar(String(name.dropFirst(5)), isQuoted: true)
        }
        evaluation?.set("save_best", to: text)
        evaluation?.set("rule", to: checkpoint.take("rule"))
      }
      checkpoint.drop("rule", "save_param_scheduler", "published_keys", "backend_args", "file_client_args")
      top.set("checkpoint_config", to: checkpoint.node)
    }
    try hooks.close()
  }
}
