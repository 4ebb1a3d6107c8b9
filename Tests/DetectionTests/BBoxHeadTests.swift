import Detection
import Layers
import Tensors
import TestSupport
import Testing

/// Box heads against mmdetection's numbers.
@Suite struct BBoxHeadTests {
  @Test(arguments: [("bbox_head", 12), ("heads2", 18), ("heads3", 12)])
  func outputsLossesAndGradientsAreMMDetections(_ file: String, _ count: Int) throws {
    let cases = try GoldenCase.all(file)
    #expect(cases.count == count)
    for golden in cases { try check(golden) }
  }

  private func check(_ golden: GoldenCase) throws {
    // Heads evaluate where nothing is recorded, and have no gradients then.
    let trains = golden.flag("train_mode") ?? true
    let (network, configuration) = (Network(), try golden.bboxHead())
    if !trains { network.engine.tape = nil }
    let head = configuration.make(in: network.scope)
    try network.load(golden)
    let isDouble = golden.has("inputs/x_reg")
    let features = try network.map(golden, isDouble ? "inputs/x_cls" : "inputs/x", needsGradient: true)
    let stretched = isDouble ? try network.map(golden, "inputs/x_reg", needsGradient: true) : nil
    let output = try head(features, stretched: stretched)
    for (tensor, name) in [(output.scores, "cls_score"), (output.deltas, "bbox_pred")] {
      guard let tensor else {
        #expect(!golden.has("expected/\(name)"), "\(golden) \(name)")
        continue
      }
      #expect(try tensor.shape == golden.shape("expected/\(name)"), "\(golden) \(name)")
      expectCloseToMaximum(tensor.array, try golden.floats("expected/\(name)"), 1e-5, "\(golden) \(name)")
    }
    let values = try losses(golden, configuration, output)
    guard trains else { return }
    try network.engine.tape?.backward(from: values.total)
    try network.compareGradients(golden)
    try network.compareGradient(of: features, golden, isDouble ? "expected/grad_x_cls" : "expected/grad_x")
    if let stretched { try network.compareGradient(of: stretched, golden, "expected/grad_x_reg") }
    try checkStatistics(network, golden)
  }

  /// Compared with the case's.
  private func losses(
    _ golden: GoldenCase, _ configuration: BBoxHeadConfiguration, _ output: BBoxHeadOutput
  ) throws -> [TermValue] {
    let targets = BBoxTargeter(configuration, posWeight: golden.posWeight).targets(try golden.sampledRoIs())
    let losses = BBoxLosses(configuration)
    let counts = losses.counts(targets)
    let values = losses(output, targets, counts: counts)
    #expect(values.count == losses.terms.terms.count)
    for (term, value) in zip(losses.terms.terms, values) {
      let value = term.isSummed ? value.value : value.value / counts[try #require(term.divisor)]
      expectClose(
        [Float(value)], try golden.floats("expected/\(term.name)"), relative: 1e-5, "\(golden) \(term.name)")
    }
    expectClose(values.total.array, try golden.floats("expected/total"), relative: 1e-5, "\(golden) total")
    return values
  }

  /// What batch norms have gathered in a forward pass.
  private func checkStatistics(_ network: Network, _ golden: GoldenCase) throws {
    guard golden.has("expected/running_stats") else { return }
    for name in try golden.members("expected/running_stats") where !name.hasSuffix("num_batches_tracked") {
      let parameter = try #require(network.store.parameters.first { $0.name == name }, "\(golden) \(name)")
      expectCloseToMaximum(
        parameter.exported(parameter.values), try golden.floats("expected/running_stats/\(name)"), 1e-5,
        "\(golden) \(name)")
    }
  }

  /// Without scores there is no accuracy, without deltas no `loss_bbox`, and neither has parameters or a count.
  @Test(arguments: [(true, false), (false, true)]) func aHeadWithoutAPart(withCls: Bool, withReg: Bool) throws {
    let golden = try #require(try GoldenCase.all("bbox_head").first { $0.title == "ConvFC separate branches" })
    var configuration = try golden.bboxHead()
    (configuration.withCls, configuration.withReg) = (withCls, withReg)
    let network = Network()
    let head = configuration.make(in: network.scope)
    try network.load(golden)
    let output = try head(try network.map(golden, "inputs/x"), stretched: nil)
    #expect((output.scores != nil) == withCls && (output.deltas != nil) == withReg)
    let names = network.store.parameters.map(\.name)
    #expect(names.contains { $0.hasPrefix(withCls ? "cls_" : "reg_") })
    #expect(!names.contains { $0.hasPrefix(withCls ? "reg_" : "cls_") || $0 == "fc_\(withCls ? "reg" : "cls").weight" })
    let losses = BBoxLosses(configuration)
    #expect(losses.terms.terms.map(\.name) == (withCls ? ["loss_cls", "acc"] : ["loss_bbox"]))
    let targets = BBoxTargeter(configuration, posWeight: golden.posWeight).targets(try golden.sampledRoIs())
    let counts = losses.counts(targets)
    #expect(counts.count == losses.terms.counts.count)
    for (term, value) in zip(losses.terms.terms, losses(output, targets, counts: counts)) where term.isSummed {
      expectClose([Float(value.value)], try golden.floats("expected/\(term.name)"), relative: 1e-5, term.name)
    }
  }

  /// `reduction: none` is the mean over all numbers: with the sums of `mean` and its counts.
  @Test func meansOverAllNumbers() throws {
    let golden = try #require(try GoldenCase.all("bbox_head").first { $0.title == "ConvFC separate branches" })
    func values(_ reduction: LossReduction, _ kind: ClassificationLoss.Kind) throws -> [Double] {
      var configuration = try golden.bboxHead()
      configuration.lossCls = ClassificationLoss(kind)
      (configuration.lossCls.reduction, configuration.lossBBox.reduction) = (reduction, reduction)
      let network = Network()
      let head = configuration.make(in: network.scope)
      try network.load(golden)
      let output = try head(try network.map(golden, "inputs/x"), stretched: nil)
      let targets = BBoxTargeter(configuration, posWeight: -1).targets(try golden.sampledRoIs())
      let (losses, rows, positives) = (BBoxLosses(configuration), targets.labels.count, targets.positiveBoxes.count)
      let counts = losses.counts(targets)
      #expect(counts.count == losses.terms.counts.count && positives > 0)
      let values = losses(output, targets, counts: counts).map(\.value)
      let numbers = kind == .softmax ? 1 : configuration.numClasses + 1
      return reduction == .mean
        ? [values[0] / Double(numbers), values[2] * Double(rows) / Double(4 * positives)] : [values[0], values[2]]
    }
    for kind in [ClassificationLoss.Kind.softmax, .sigmoid, .focal(gamma: 2, alpha: 0.25)] {
      let (none, mean) = (try values(.none, kind), try values(.mean, kind))
      expectClose(none.map { Float($0) }, mean.map { Float($0) }, relative: 1e-5, "\(kind)")
    }
  }

  /// No region: zero losses, and exact zeros for every parameter.
  @Test func noRegionsGiveZeros() throws {
    for golden in try GoldenCase.all("bbox_head") + GoldenCase.all("heads2") {
      let (network, configuration) = (Network(), try golden.bboxHead())
      let head = configuration.make(in: network.scope)
      try network.load(golden)
      let (side, channels) = (configuration.roiFeatSize, configuration.inChannels)
      func empty() -> Tensor { Tensor([0, side, side, channels], on: network.engine, needsGradient: true) }
      let statistics = network.store.parameters.filter(\.isStatistic).map { $0.exported($0.values) }
      let output = try head(empty(), stretched: golden.has("inputs/x_reg") ? empty() : nil)
      let losses = BBoxLosses(configuration)
      let targets = BBoxTargeter(configuration, posWeight: -1).targets([])
      let total = losses(output, targets, counts: losses.counts(targets)).total
      #expect(total.values[0] == 0, "\(golden)")
      try network.engine.tape?.backward(from: total)
      #expect((0..<network.store.trainableCount).allSatisfy { network.store.gradients[$0] == 0 }, "\(golden)")
      #expect(network.store.parameters.filter(\.isStatistic).map { $0.exported($0.values) } == statistics, "\(golden)")
    }
  }
}
