import COCO

extension EvaluationSection {
  /// `evaluation`; absent it is mmdetection's default, every epoch. Explicitly null it is nil, and so it is where there
  /// is nothing to measure on.
  static func read(topLevel: ConfigurationSection, runner: RunnerSection, hasData: Bool) throws -> EvaluationSection? {
    if topLevel.has("evaluation") {
      return try topLevel.section("evaluation") { try EvaluationSection($0, runner: runner) }
    }
    topLevel.accept("evaluation")
    guard hasData else {
      topLevel.notice(absent: "data.val", "is absent: nothing is measured while training")
      return nil
    }
    if !runner.countsEpochs {
      topLevel.notice(
        absent: "evaluation", "is absent: measured once an epoch; mmdetection would after every iteration")
    }
    return EvaluationSection()
  }

  private init(_ section: ConfigurationSection, runner: RunnerSection) throws {
    try section.read("interval", into: &interval)
    try section.check(interval > 0, "interval", expected: "a number from 1 on")
    byEpoch = try section.optional("by_epoch") ?? runner.countsEpochs
    if byEpoch != runner.countsEpochs {
      section.notice("by_epoch", "is followed here; mmdetection goes by the runner, \(runner.kind.rawValue)")
    }
    start = try section.optional("start")
    try section.check((start ?? 0) >= 0, "start", expected: "a number from 0 on")
    try section.read("classwise", into: &classwise)
    if let metric = section.node("metric") {
      let names = String(configuration: metric).map { [$0] } ?? [String](configuration: metric) ?? []
      isVOCs = names == [Self.vocMetric]
      metrics = names.compactMap(EvaluationMetric.init)
      guard isVOCs == true || (!metrics.isEmpty && metrics.count == names.count) else {
        let supported = (EvaluationMetric.allCases.map(\.rawValue) + [Self.vocMetric]).joined(separator: ", ")
        throw section.error(
          "metric", "is \(metric.summary), which is not supported yet", hint: "supported: \(supported)")
      }
    }
    if let node = section.node("iou_thr") {
      iouThr = try Double(configuration: node).map { [$0] } ?? section.required("iou_thr")
      try section.check(
        iouThr.map { !$0.isEmpty && $0.allSatisfy { $0 > 0 && $0 <= 1 } && zip($0, $0.dropFirst()).allSatisfy(<) }
          ?? false, "iou_thr", expected: "a number above 0 and up to 1, or several in ascending order")
    }
    try readParameters(section)
    saveBest = try saveBest(section)
    section.ignore("gpu_collect", "tmpdir", because: "detections are gathered by MPI")
    section.ignore("broadcast_bn_buffer", because: "all ranks measure with the statistics of rank 0")
    section.ignore("rule", because: "all metrics are better when greater")
    section.ignore("jsonfile_prefix", because: "the command 'test' writes detections with --out")
  }
}

extension EvaluationSection {
  private mutating func readParameters(_ section: ConfigurationSection) throws {
    proposalNums = try section.optional("proposal_nums")
    if let numbers = proposalNums {
      try section.check(
        numbers.count == 3 && numbers[0] > 0 && numbers[0] < numbers[1] && numbers[1] < numbers[2], "proposal_nums",
        expected: "three numbers from 1 on in ascending order")
      if !numbers.contains(100) {
        section.notice(
          "proposal_nums", "has no 100: bbox_mAP counts \(numbers[2]) detections, where pycocotools would give -1")
      }
    }
    iouThrs = try section.optional("iou_thrs")
    if let overlaps = iouThrs {
      try section.check(
        !overlaps.isEmpty && overlaps.allSatisfy { $0 > 0 && $0 <= 1 }
          && zip(overlaps, overlaps.dropFirst()).allSatisfy(<),
        "iou_thrs", expected: "numbers above 0 and up to 1 in ascending order")
      let absent = [0.5, 0.75].filter { !overlaps.contains($0) }
      if !absent.isEmpty {
        let names = absent.map { "bbox_mAP_\(Int($0 * 100))" }.joined(separator: " and ")
        let numbers = absent.map { "\($0)" }.joined(separator: " and ")
        section.notice("iou_thrs", "does not hold \(numbers): \(names) is -1")
      }
    }
    if let items = section.node("metric_items") {
      let item = String(configuration: items).map { [$0] }
      metricItems = try item ?? section.required("metric_items")
      try section.check(
        metricItems?.isEmpty == false && Set(metricItems ?? []).count == metricItems?.count, "metric_items",
        expected: "at least one name, each once")
    }
  }

  /// `auto` is the first number that mmdetection reports. Whether a name is one of them is checked with the whole
  /// configuration.
  private func saveBest(_ section: ConfigurationSection) throws -> BestMetric? {
    guard let text: String = try section.optional("save_best") else { return nil }
    var parameters = EvaluationParameters()
    parameters.metricItems = metricItems
    if !metrics.isEmpty { parameters.metrics = metrics }
    if let proposalNums { parameters.proposalNums = proposalNums }
    let first = isVOCs == true ? VOCResult.name(iouThr?.first ?? 0.5) : parameters.reportedNames[0]
    let metric = BestMetric(rawValue: text == "auto" ? first : text)
    if let rule: String = try section.optional("rule"), rule != "greater" {
      throw section.error("rule", "is '\(rule)', but \(metric.rawValue) is better when greater", hint: "leave it out")
    }
    return metric
  }
}

extension FittingCheck {
  /// The numbers that are asked for are among those that are measured.
  func evaluation(_ run: RunConfiguration) throws {
    guard let evaluation = run.evaluation, case .voc(let parameters)? = run.data.val.map(run.evaluationRule) else {
      return try cocoEvaluation(run)
    }
    guard evaluation.isVOCs ?? true else {
      let names = evaluation.metrics.map(\.rawValue).joined(separator: ", ")
      throw error("evaluation.metric", "is \(names), expected mAP for a VOCDataset")
    }
    guard run.model.roiHead != nil else {
      throw error("evaluation.metric", "is mAP, which an RPN can't be measured by: it tells no classes apart")
    }
    for (key, isSet) in [
      ("iou_thrs", evaluation.iouThrs != nil), ("metric_items", evaluation.metricItems != nil),
      ("proposal_nums", evaluation.proposalNums != nil),
    ] where isSet {
      throw error("evaluation.\(key)", "is about COCO's metrics, and data.val is a VOCDataset; leave it out")
    }
    let reported = parameters.overlaps.map(VOCResult.name) + ["mAP"]
    if let best = evaluation.saveBest?.rawValue, !reported.contains(best) {
      throw error(
        "evaluation.save_best",
        "is '\(best)', which is not reported; expected one of \(reported.joined(separator: ", "))")
    }
  }

  private func cocoEvaluation(_ run: RunConfiguration) throws {
    if run.evaluation?.isVOCs == true {
      throw error("evaluation.metric", "is mAP, expected bbox: data.val is no VOCDataset")
    }
    if run.evaluation?.iouThr != nil {
      throw error("evaluation.iou_thr", "is about a VOCDataset; expected 'iou_thrs', for COCO's metrics")
    }
    let parameters = run.evaluationParameters
    let pairs = (1 + parameters.areaRanges.count) * parameters.overlaps.count
    let most = EvaluationParameters.maximumPairs
    guard pairs <= most else {
      throw error(
        "evaluation.iou_thrs",
        "makes \(pairs) pairs with the size ranges (all sizes are one); expected at most \(most)")
    }
    for item in parameters.metricItems ?? [] where !parameters.metricNames.contains(item) {
      throw error(
        "evaluation.metric_items",
        "asks for '\(item)'; expected names among \(parameters.metricNames.joined(separator: ", "))")
    }
    try metrics(run)
    let reported = parameters.reportedNames
    if let best = run.evaluation?.saveBest?.rawValue, !reported.contains(best) {
      throw error(
        "evaluation.save_best",
        "is '\(best)', which is not reported; expected auto or one of \(reported.joined(separator: ", "))")
    }
  }
}

extension FittingCheck {
  /// mmdetection looks for classes in an RPN's results, or for proposals in those of classes, after the first epoch.
  private func metrics(_ run: RunConfiguration) throws {
    guard let metrics = run.evaluation?.metrics else { return }
    if run.model.roiHead == nil, metrics.contains(.bbox) {
      throw error("evaluation.metric", "is bbox, expected proposal_fast or proposal: an RPN tells no classes apart")
    }
    if run.model.roiHead != nil, metrics.contains(.proposalFast) {
      throw error("evaluation.metric", "is proposal_fast, which measures an RPN alone; expected bbox or proposal")
    }
  }
}

extension ConfigurationSection {
  /// Size ranges by name: `{tiny: [0, 256], small: [256, 1024]}`, in square pixels; the bounds belong to them.
  func areaRanges(_ key: String) throws -> [AreaRange]? {
    guard let node = node(key) else { return nil }
    let counts = 1..<EvaluationParameters.maximumRanges
    let expected = "names with [smallest, largest] area in square pixels, at most \(counts.upperBound - 1)"
    try check(counts.contains(node.entries.count), key, expected: expected)
    return try node.entries.map { entry in
      guard let bounds = [Double](configuration: entry.value), bounds.count == 2, bounds[0] >= 0, bounds[0] < bounds[1],
        entry.key != "all", !entry.key.isEmpty
      else { throw error(key, "has '\(entry.key): \(entry.value.summary)', expected \(expected)") }
      return AreaRange(entry.key, bounds[0]...bounds[1])
    }
  }
}
