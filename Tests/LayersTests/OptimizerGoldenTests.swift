import Foundation
import Kernels
import Layers
import Tensors
import TestSupport
import Testing

/// What torch 1.8.1 and mmcv 1.3.3 computed.
@Suite struct OptimizerGoldenTests {
  private static func cases(_ function: String) throws -> [GoldenCase] {
    try GoldenCase.all("optim2").filter { $0.string("fn") == function }
  }

  @Test func everyCaseHasATest() throws {
    let functions = Set(try GoldenCase.all("optim2").compactMap { $0.string("fn") })
    #expect(functions == ["Adam", "AdamW", "build_optimizer", "GradientCumulativeOptimizerHook", "EMAHook"])
  }

  @Test(arguments: ["Adam", "AdamW"]) func steps(_ name: String) throws {
    let cases = try Self.cases(name)
    #expect(!cases.isEmpty)
    for golden in cases {
      var configuration = OptimizerConfiguration()
      var adam = AdamConfiguration(decouplesDecay: name == "AdamW")
      adam.beta1 = try #require(golden.number("beta1"))
      adam.beta2 = try #require(golden.number("beta2"))
      adam.eps = try #require(golden.number("eps"))
      adam.amsgrad = golden.flag("amsgrad") ?? false
      configuration.adam = adam
      configuration.weightDecay = Float(try #require(golden.number("weight_decay")))
      let shape = try golden.shape("inputs/grads")
      let (gradients, expected) = (try golden.floats("inputs/grads"), try golden.floats("expected/params"))
      let store = ParameterStore()
      let parameter = store.add("weight", shape: [shape[1]], isTrainable: true, initializer: .constant(0))
      store.allocate(seed: 0)
      parameter.importValues(try golden.floats("inputs/param"), into: parameter.values)
      let optimizer = Optimizer(configuration: configuration, store: store)
      for step in 0..<shape[0] {
        let row = step * shape[1]..<(step + 1) * shape[1]
        parameter.importValues(Array(gradients[row]), into: parameter.gradient)
        let later = step >= 4 ? golden.number("lr_from_step_4") : nil
        optimizer.step(learningRate: try later ?? #require(golden.number("lr")), Workers(count: 1))
        expectClose(
          parameter.exported(parameter.values), Array(expected[row]), absolute: 1e-6, relative: 1e-5,
          "\(golden), step \(step)")
      }
      for state in store.states {
        expectClose(
          parameter.exported(parameter.state(state)), try golden.floats("expected/\(state.rawValue)"), relative: 1e-5,
          "\(golden) \(state.rawValue)")
      }
    }
  }

  /// The settings of each parameter, and three steps with them.
  @Test func parameterwiseSettings() throws {
    let cases = try Self.cases("build_optimizer")
    #expect(!cases.isEmpty)
    for golden in cases {
      let configuration = try configuration(golden)
      let names = try JSONDecoder().decode([String].self, from: Data(#require(golden.string("names")).utf8))
      let isTrainable = try #require(golden.numbers("requires_grad")).map { $0 != 0 }
      let store = ParameterStore()
      for (name, isTrainable) in zip(names, isTrainable) {
        _ = store.add(
          name, shape: try golden.shape("inputs/params/\(name)"), isTrainable: isTrainable, initializer: .constant(0))
      }
      store.allocate(seed: 0)
      for parameter in store.parameters {
        parameter.importValues(try golden.floats("inputs/params/\(parameter.name)"), into: parameter.values)
      }
      let treatments = ParameterTreatments(configuration, store)
      let (rates, decays) = (try golden.doubles("expected/lr"), try golden.doubles("expected/weight_decay"))
      for (place, parameter) in store.parameters.enumerated() where parameter.isTrainable {
        let treatment = treatments.treatment(of: parameter)
        expectClose(
          [Float(configuration.lr) * treatment.rateFactor], [Float(rates[place])], relative: 1e-6,
          "\(golden) \(parameter.name)")
        expectClose([treatment.weightDecay], [Float(decays[place])], relative: 1e-6, "\(golden) \(parameter.name)")
      }
      let optimizer = Optimizer(configuration: configuration, store: store)
      for step in 0..<3 {
        for parameter in store.trainable {
          parameter.importValues(
            try golden.floats("inputs/grads_\(step)/\(parameter.name)"), into: parameter.gradient)
        }
        optimizer.step(learningRate: configuration.lr, Workers(count: 1))
        for parameter in store.parameters {
          expectClose(
            parameter.exported(parameter.values),
            try golden.floats("expected/params_\(step)/\(parameter.name)"), absolute: 1e-6, relative: 1e-5,
            "\(golden) \(parameter.name), step \(step)")
        }
      }
    }
  }

  private func configuration(_ golden: GoldenCase) throws -> OptimizerConfiguration {
    let cfg = try golden.configuration()
    let text = try #require(golden.string("paramwise_cfg"))
    let paramwise = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
    func number(_ key: String, _ object: [String: Any]) -> Double? { (object[key] as? NSNumber)?.doubleValue }
    var configuration = OptimizerConfiguration()
    switch cfg["type"] as? String {
    case "Adam": configuration.adam = AdamConfiguration(decouplesDecay: false)
    case "AdamW": configuration.adam = AdamConfiguration(decouplesDecay: true)
    default: break
    }
    if let betas = cfg["betas"] as? [Double] {
      configuration.adam?.beta1 = betas[0]
      configuration.adam?.beta2 = betas[1]
    }
    if let amsgrad = cfg["amsgrad"] as? Bool { configuration.adam?.amsgrad = amsgrad }
    if let eps = number("eps", cfg) { configuration.adam?.eps = eps }
    configuration.lr = try #require(number("lr", cfg))
    configuration.momentum = Float(number("momentum", cfg) ?? 0)
    configuration.nesterov = cfg["nesterov"] as? Bool ?? false
    configuration.weightDecay = number("weight_decay", cfg).map { Float($0) }
    configuration.biasLRMult = Float(number("bias_lr_mult", paramwise) ?? 1)
    configuration.biasDecayMult = Float(number("bias_decay_mult", paramwise) ?? 1)
    configuration.normDecayMult = Float(number("norm_decay_mult", paramwise) ?? 1)
    configuration.dwconvDecayMult = Float(number("dwconv_decay_mult", paramwise) ?? 1)
    configuration.customKeys = (paramwise["custom_keys"] as? [String: [String: Any]] ?? [:]).map { key, value in
      CustomKey(
        key: key, lrMult: Float(number("lr_mult", value) ?? 1), decayMult: Float(number("decay_mult", value) ?? 1))
    }
    return configuration
  }

  /// Plain SGD with momentum, whose running mean is taken after each iteration.
  @Test func runningMeans() throws {
    let cases = try Self.cases("EMAHook")
    #expect(!cases.isEmpty)
    for golden in cases {
      var average = AverageConfiguration()
      average.momentum = try #require(golden.number("momentum"))
      average.interval = try #require(golden.integer("interval"))
      average.warmUp = try #require(golden.integer("warm_up"))
      let shape = try golden.shape("expected/param")
      let (values, means) = (try golden.floats("expected/param"), try golden.floats("expected/ema"))
      let count = shape[1]
      let (mean, value) = (Floats.allocate(capacity: count), Floats.allocate(capacity: count))
      defer {
        mean.deallocate()
        value.deallocate()
      }
      // The mean begins with the values before the first iteration.
      let start = try golden.floats("inputs/param")
      for i in 0..<count { mean[i] = start[i] }
      for iteration in 0..<shape[0] {
        let row = iteration * count..<(iteration + 1) * count
        for (i, place) in row.enumerated() { value[i] = values[place] }
        if let intake = average.intake(after: iteration) {
          RunningMean.update(mean, value, count, momentum: intake, Workers(count: 1))
        }
        expectClose(
          (0..<count).map { mean[$0] }, Array(means[row]), absolute: 1e-6, relative: 1e-6,
          "\(golden), iteration \(iteration)")
      }
    }
  }
}
