extension EvaluationSection {
  init(_ section: ConfigurationSection) throws {
    try section.read("interval", into: &interval)
    try section.check(interval > 0, "interval", expected: "a number from 1 on")
    try section.read("by_epoch", into: &byEpoch)
    start = try section.optional("start")
    try section.read("classwise", into: &classwise)
    if let metric = section.node("metric"), metric.summary != "bbox", metric.summary != "[bbox]" {
      throw section.error("metric", "is \(metric.summary), which is not supported yet", hint: "supported: bbox")
    }
    try section.unsupported("save_best", "iou_thrs", "metric_items", "proposal_nums")
    section.ignore("gpu_collect", "tmpdir", because: "detections are gathered by MPI")
    section.ignore("rule", because: "all metrics are better when greater")
    section.ignore("jsonfile_prefix", because: "the command 'test' writes detections with --out")
  }
}

extension AutoScaleLRSection {
  init(_ section: ConfigurationSection) throws {
    try section.read("enable", into: &enable)
    try section.read("base_batch_size", into: &baseBatchSize)
    try section.check(baseBatchSize > 0, "base_batch_size", expected: "a number from 1 on")
  }
}

extension RunnerSection {
  /// From `runner`, or the older `total_epochs`.
  init(topLevel: ConfigurationSection) throws {
    let totalEpochs: Int? = try topLevel.optional("total_epochs")
    try topLevel.section("runner") { section in
      _ = try section.type("EpochBasedRunner", "IterBasedRunner", default: "EpochBasedRunner")
      maxEpochs = try section.optional("max_epochs")
      maxIters = try section.optional("max_iters")
      try section.check((maxEpochs ?? 1) > 0, "max_epochs", expected: "a number from 1 on")
      try section.check((maxIters ?? 1) > 0, "max_iters", expected: "a number from 1 on")
    }
    if let totalEpochs {
      guard maxEpochs ?? totalEpochs == totalEpochs else {
        throw topLevel.mismatch("total_epochs", expected: "the same as runner.max_epochs, \(maxEpochs ?? 0)")
      }
      topLevel.notice("total_epochs", "is the older name of 'runner.max_epochs'")
      maxEpochs = totalEpochs
    }
    guard maxEpochs != nil || maxIters != nil else {
      throw topLevel.missing("runner", expected: "a mapping with max_epochs or max_iters")
    }
  }
}

extension CheckpointSection {
  init(_ section: ConfigurationSection) throws {
    interval = try section.optional("interval").flatMap { $0 > 0 ? $0 : nil }
    try section.read("by_epoch", into: &byEpoch)
    maxKeepCkpts = try section.optional("max_keep_ckpts").flatMap { $0 > 0 ? $0 : nil }
    section.ignore("save_optimizer", "save_last", because: "checkpoints are always complete")
    section.ignore("out_dir", because: "checkpoints go to the work directory")
    section.ignore("sync_buffer", "create_symlink", "meta", because: "nothing depends on it")
  }
}

extension LogSection {
  init(_ section: ConfigurationSection) throws {
    try section.read("interval", into: &interval)
    try section.check(interval > 0, "interval", expected: "a number from 1 on")
    _ = try section.sections("hooks") { hook in
      let type: String = try hook.required("type")
      if type != "TextLoggerHook" { hook.notice("type", "is \(type): only the text and JSON logs are written") }
      hook.ignore("by_epoch", "interval", "ignore_last", "reset_flag", "log_dir", "init_kwargs", because: "one log")
    }
  }
}

extension MPISection {
  init(_ section: ConfigurationSection) throws {
    try section.read("shuffle", into: &shuffle)
    threadsPerRank = try section.optional("threads_per_rank")
    try section.check((threadsPerRank ?? 1) > 0, "threads_per_rank", expected: "a number from 1 on")
    try section.read("bucket_size_mb", into: &bucketSizeMB)
    try section.check(bucketSizeMB > 0, "bucket_size_mb", expected: "a number above 0, in MiB")
    try section.read("scaled_decode", into: &scaledDecode)
    weightsDir = try section.optional("weights_dir")
    section.ignore("stall_timeout", because: "there is no watchdog yet")
  }
}
