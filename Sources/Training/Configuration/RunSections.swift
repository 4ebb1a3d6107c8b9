import COCO

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
      kind =
        try section.type("EpochBasedRunner", "IterBasedRunner", default: "EpochBasedRunner") == "IterBasedRunner"
        ? .iterBased : .epochBased
      maxEpochs = try section.optional("max_epochs")
      maxIters = try section.optional("max_iters")
      try section.check((maxEpochs ?? 1) > 0, "max_epochs", expected: "a number from 1 on")
      try section.check((maxIters ?? 1) > 0, "max_iters", expected: "a number from 1 on")
      if kind == .iterBased, maxIters == nil { throw section.missing("max_iters", expected: "a whole number") }
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
  init(_ section: ConfigurationSection, runner: RunnerSection) throws {
    interval = try section.optional("interval").flatMap { $0 > 0 ? $0 : nil }
    byEpoch = try section.optional("by_epoch") ?? runner.countsEpochs
    maxKeepCkpts = try section.optional("max_keep_ckpts").flatMap { $0 > 0 ? $0 : nil }
    section.ignore("save_optimizer", because: "checkpoints are always complete")
    section.ignore("save_last", because: "the end of a run is always saved")
    section.ignore("out_dir", because: "checkpoints go to the work directory")
    section.ignore("filename_tmpl", because: "checkpoints are called epoch_N.h5 and iter_N.h5")
    section.ignore("create_symlink", because: "latest.h5 always leads to the newest")
    section.ignore("sync_buffer", "meta", because: "nothing depends on it")
  }
}

extension LogSection {
  init(_ section: ConfigurationSection, runner: RunnerSection) throws {
    byEpoch = runner.countsEpochs
    try section.read("interval", into: &interval)
    try section.check(interval > 0, "interval", expected: "a number from 1 on")
    let common = interval
    _ = try section.sections("hooks") { hook in
      let type: String = try hook.required("type")
      switch type {
      case "TextLoggerHook":
        try hook.read("by_epoch", into: &byEpoch)
        if hook.node("interval") != nil { section.notice("interval", "gives way to the interval of TextLoggerHook") }
        try hook.read("interval", into: &interval)
        try hook.check(interval > 0, "interval", expected: "a number from 1 on")
        hook.ignore("ignore_last", "reset_flag", "interval_exp_name", because: "lines come every 'interval' iterations")
      case "TensorboardLoggerHook":
        guard tensorBoard == nil else { throw hook.error("type", "is TensorboardLoggerHook for a second time") }
        tensorBoard = try TensorBoardSection(hook, interval: common, byEpoch: runner.countsEpochs)
      default:
        hook.notice("type", "is \(type): text, JSON and TensorBoard's files are written, and nothing else")
        hook.ignore(
          "by_epoch", "interval", "log_dir", "init_kwargs", "ignore_last", "reset_flag",
          because: "no such log is written")
      }
    }
  }
}

extension TensorBoardSection {
  /// - Parameters:
  ///   - interval: of `log_config`.
  ///   - byEpoch: whether the runner counts epochs.
  init(_ hook: ConfigurationSection, interval common: Int, byEpoch countsEpochs: Bool) throws {
    (interval, byEpoch) = (common, countsEpochs)
    logDir = try hook.optional("log_dir")
    try hook.check(logDir != "", "log_dir", expected: "a folder")
    try hook.read("interval", into: &interval)
    try hook.check(interval > 0, "interval", expected: "a number from 1 on")
    try hook.read("by_epoch", into: &byEpoch)
    try hook.read("ignore_last", into: &ignoreLast)
    hook.ignore("reset_flag", unless: true, because: "each log has numbers of its own, which none takes from another")
  }
}

extension AsyncSave: ConfigurationValue {
  static var expected: String { "auto, true or false" }

  init?(configuration node: ConfigurationNode) {
    if let isOn = Bool(configuration: node) {
      self = isOn ? .always : .never
    } else if String(configuration: node) == "auto" {
      self = .auto
    } else {
      return nil
    }
  }
}

extension MPISection {
  init(_ section: ConfigurationSection) throws {
    try section.read("shuffle", into: &shuffle)
    globalBatch = try section.optional("global_batch")
    try section.check((globalBatch ?? 1) > 0, "global_batch", expected: "a number from 1 on")
    try section.read("reduction", into: &reduction)
    try section.read("on_non_finite", into: &onNonFinite)
    try section.read("max_non_finite", into: &maxNonFinite)
    try section.check(maxNonFinite >= 0, "max_non_finite", expected: "a number from 0 on")
    if onNonFinite == .stop {
      section.ignore("max_non_finite", because: "the first one stops the run, unless on_non_finite is skip")
    }
    checkInterval = try section.optional("check_interval")
    try section.check((checkInterval ?? 0) >= 0, "check_interval", expected: "a number from 0 on")
    threadsPerRank = try section.optional("threads_per_rank")
    try section.check((threadsPerRank ?? 1) > 0, "threads_per_rank", expected: "a number from 1 on")
    try section.read("bucket_size_mb", into: &bucketSizeMB)
    try section.check(bucketSizeMB > 0, "bucket_size_mb", expected: "a number above 0, in MiB")
    try section.read("scaled_decode", into: &scaledDecode)
    checkPictures = try section.optional("check_pictures")
    evalAreaRanges = try section.areaRanges("eval_area_ranges")
    try readPictureKeys(section)
    weightsDir = try section.optional("weights_dir")
    inject = try section.faults("inject")
    try section.read("stall_timeout", into: &stallTimeout)
    try section.check(
      stallTimeout >= 0 && stallTimeout.isFinite, "stall_timeout",
      expected: "a number of seconds, or 0 for no watchdog")
    try section.read("async_save", into: &asyncSave)
    try section.read("save_failures", into: &saveFailures)
    try section.check(saveFailures > 0, "save_failures", expected: "a number from 1 on")
    try section.read("tensorboard_pictures", into: &tensorBoardPictures)
    try section.check(tensorBoardPictures >= 0, "tensorboard_pictures", expected: "a number from 0 on")
  }

  private mutating func readPictureKeys(_ section: ConfigurationSection) throws {
    try section.read("exif", into: &pictureRules.exif)
    try section.read("max_picture_pixels", into: &pictureRules.maximumPixels)
    try section.check(
      (1...PictureRules.mostPixels).contains(pictureRules.maximumPixels), "max_picture_pixels",
      expected: "a number from 1 to \(PictureRules.mostPixels)")
    try section.read("on_bad_picture", into: &onBadPicture)
    try section.read("max_bad_pictures", into: &maxBadPictures)
    try section.check(maxBadPictures >= 0, "max_bad_pictures", expected: "a number from 0 on")
    if onBadPicture == .stop {
      section.ignore("max_bad_pictures", because: "the first one stops the run, unless on_bad_picture is skip")
    }
  }
}
