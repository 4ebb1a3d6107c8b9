import Foundation
import Kernels
import Layers
import Tensors
import TestSupport
import Testing

@Suite struct ScheduleTests {
  @Test func agreesWithTheReference() throws {
    let cases = try GoldenCase.all("schedule")
    #expect(cases.count == 30)
    for golden in cases { try check(golden) }
  }

  private func check(_ golden: GoldenCase) throws {
    switch golden.string("fn") {
    case nil: try checkRates(golden)
    case "clip_grad_norm_": try checkClipping(golden)
    case "SGD": try checkSteps(golden)
    case "build_optimizer": try checkTreatment(golden)
    default: Issue.record("nothing tests \(golden)")
    }
  }

  private func checkRates(_ golden: GoldenCase) throws {
    var configuration = LearningRateConfiguration()
    let (gamma, minLR) = (golden.number("gamma") ?? 0.1, golden.number("min_lr"))
    let steps = golden.numbers("step")!.map { Int($0) }
    if golden.string("policy") == "step" {
      configuration.policy =
        golden.flag("step_is_interval")!
        ? .interval(every: steps[0], gamma: gamma, minLR: minLR)
        : .step(milestones: steps, gamma: gamma, minLR: minLR)
    }
    configuration.byEpoch = golden.flag("by_epoch") ?? true
    configuration.warmup = golden.string("warmup").flatMap(LearningRateConfiguration.WarmUp.init)
    configuration.warmupIters = golden.integer("warmup_iters") ?? 0
    configuration.warmupRatio = golden.number("warmup_ratio") ?? 0.1
    configuration.warmupByEpoch = golden.flag("warmup_by_epoch") ?? false
    let schedule = LearningRateSchedule(
      configuration: configuration, baseRate: golden.number("lr")!,
      iterationsPerEpoch: golden.integer("iters_per_epoch")!, maxEpochs: 1, maxIterations: 1)
    let epochs = try golden.integers("expected/epoch")
    for (iteration, expected) in try golden.doubles("expected/lr").enumerated() {
      let rate = schedule.rate(epoch: epochs[iteration], iteration: iteration)
      #expect(abs(rate - expected) <= 1e-12 * expected, "\(golden), iteration \(iteration): \(rate), not \(expected)")
    }
  }

  private func checkClipping(_ golden: GoldenCase) throws {
    let names = try golden.members("inputs")
    let store = ParameterStore()
    let parameters = try names.map {
      store.add($0, shape: try golden.shape("inputs/\($0)"), isTrainable: true, initializer: .constant(0))
    }
    store.allocate(seed: 0)
    for parameter in parameters {
      parameter.importValues(try golden.floats("inputs/\(parameter.name)"), into: parameter.gradient)
    }
    var configuration = OptimizerConfiguration()
    configuration.gradClip = GradClip(
      maxNorm: golden.number("max_norm")!,
      normType: golden.flag("norm_type_is_inf")! ? .infinity : golden.number("norm_type")!)
    let (optimizer, workers) = (Optimizer(configuration: configuration, store: store), Workers(count: 1))
    let norm = try #require(optimizer.gradientNorm(workers))
    optimizer.clipGradients(norm: norm, workers)
    expectClose([Float(norm)], try golden.floats("expected/total_norm"), relative: 1e-6, "\(golden)")
    for parameter in parameters {
      let expected = try golden.floats("expected/\(parameter.name)")
      expectClose(parameter.exported(parameter.gradient), expected, relative: 1e-6, "\(golden) \(parameter.name)")
    }
  }

  private func checkSteps(_ golden: GoldenCase) throws {
    var configuration = OptimizerConfiguration()
    configuration.momentum = Float(golden.number("momentum") ?? 0)
    configuration.dampening = Float(golden.number("dampening") ?? 0)
    configuration.weightDecay = Float(golden.number("weight_decay") ?? 0)
    configuration.nesterov = golden.flag("nesterov") ?? false
    let shape = try golden.shape("inputs/grads")
    let gradients = try golden.floats("inputs/grads")
    let expected = try golden.floats("expected/params")
    let store = ParameterStore()
    let parameter = store.add("weight", shape: [shape[1]], isTrainable: true, initializer: .constant(0))
    store.allocate(seed: 0)
    parameter.importValues(try golden.floats("inputs/param"), into: parameter.values)
    let optimizer = Optimizer(configuration: configuration, store: store)
    var rate = golden.number("lr")!
    for step in 0..<shape[0] {
      if step == golden.integer("lr_times_0p1_from_step") { rate *= 0.1 }
      let row = step * shape[1]..<(step + 1) * shape[1]
      parameter.importValues(Array(gradients[row]), into: parameter.gradient)
      optimizer.step(learningRate: rate, Workers(count: 1))
      expectClose(
        parameter.exported(parameter.values), Array(expected[row]), absolute: 1e-6, "\(golden), step \(step)")
    }
    if golden.has("expected/momentum_buffer") {
      expectClose(
        parameter.exported(parameter.momentum), try golden.floats("expected/momentum_buffer"), absolute: 1e-6,
        "\(golden) momentum")
    }
  }

  private func checkTreatment(_ golden: GoldenCase) throws {
    var configuration = OptimizerConfiguration()
    configuration.lr = golden.number("lr")!
    configuration.weightDecay = Float(golden.number("weight_decay")!)
    configuration.biasLRMult = Float(golden.number("bias_lr_mult")!)
    configuration.biasDecayMult = Float(golden.number("bias_decay_mult")!)
    configuration.normDecayMult = Float(golden.number("norm_decay_mult")!)
    let names = try JSONDecoder().decode([String].self, from: Data(golden.string("names")!.utf8))
    let shapes = [[3, 3, 3, 3], [3], [3], [3], [2, 3, 1, 1], [2]]
    let store = ParameterStore()
    for (name, shape) in zip(names, shapes) {
      _ = store.add(name, shape: shape, isTrainable: true, initializer: .constant(1))
    }
    store.allocate(seed: 0)
    let treatments = store.parameters.map { ParameterTreatments(configuration, store).treatment(of: $0) }
    let rates = treatments.map { configuration.lr * Double($0.rateFactor) }
    #expect(rates == (try golden.doubles("expected/lr")))
    expectClose(
      treatments.map(\.weightDecay), try golden.doubles("expected/weight_decay").map { Float($0) }, relative: 1e-6)

    for i in 0..<store.trainableCount { store.gradients[i] = 1 }
    Optimizer(configuration: configuration, store: store).step(learningRate: configuration.lr, Workers(count: 1))
    for (parameter, treatment) in zip(store.parameters, treatments) {
      let expected = 1 - Float(configuration.lr) * treatment.rateFactor * (1 + treatment.weightDecay)
      let values = parameter.exported(parameter.values)
      expectClose(values, values.map { _ in expected }, absolute: 1e-6, parameter.name)
    }
  }
}
