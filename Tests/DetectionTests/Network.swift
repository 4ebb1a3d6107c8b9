import Layers
import Tensors
import TestSupport
import Testing

/// A part of the detector with the weights of a golden case, compared in PyTorch's layouts.
final class Network {
  let engine = Engine(threads: 2)
  let store = ParameterStore()
  var scope: LayerScope { LayerScope(store: store) }

  init() { engine.tape = Tape() }

  /// Allocates the store and takes over `inputs/state_dict`.
  func load(_ golden: GoldenCase) throws {
    store.allocate(seed: 0)
    for parameter in store.parameters {
      parameter.importValues(try golden.floats("inputs/state_dict/\(parameter.name)"), into: parameter.values)
    }
  }

  /// A map that stands in NCHW.
  func map(_ golden: GoldenCase, _ name: String, needsGradient: Bool = false) throws -> Tensor {
    let (shape, values) = (try golden.shape(name), try golden.floats(name))
    guard shape.count == 4 else { return Tensor(shape, values, on: engine, needsGradient: needsGradient) }
    return Tensor(
      [shape[0], shape[2], shape[3], shape[1]], channelsInnermost(values, shape), on: engine,
      needsGradient: needsGradient)
  }

  /// Outputs against `PREFIX_0`, `PREFIX_1`, …, all of them, relative to each one's maximum.
  func compare(_ outputs: [Tensor], _ golden: GoldenCase, _ prefix: String, _ tolerance: Float) throws {
    #expect(!outputs.isEmpty && !golden.has("\(prefix)_\(outputs.count)"), "\(golden): \(outputs.count) of \(prefix)")
    for (index, output) in outputs.enumerated() {
      let name = "\(prefix)_\(index)"
      let (shape, expected) = (try golden.shape(name), try golden.floats(name))
      #expect(output.shape == [shape[0], shape[2], shape[3], shape[1]], "\(golden) \(name)")
      expectCloseToMaximum(output.array, channelsInnermost(expected, shape), tolerance, "\(golden) \(name)")
    }
  }

  /// Backward from Σ output · cotangent.
  func backward(_ outputs: [Tensor], _ golden: GoldenCase) throws {
    let loss = Tensor([1], on: engine, needsGradient: true)
    let cotangents = try outputs.indices.map { try map(golden, "inputs/cotangents_\($0)") }
    engine.tape?.record(loss) {
      for (output, cotangent) in zip(outputs, cotangents) where output.needsGradient {
        let gradient = output.gradientSlot.toAddTo()
        for i in 0..<output.count { gradient[i] += cotangent.values[i] }
      }
    }
    try engine.tape?.backward(from: loss)
  }

  /// Every gradient of the case, and no other, within 1e-4 of its maximum.
  func compareGradients(_ golden: GoldenCase, _ group: String = "expected/grad") throws {
    let names = try golden.members(group)
    for parameter in store.trainable where !names.contains(parameter.name) {
      let gradient = parameter.exported(parameter.gradient)
      #expect(gradient.allSatisfy { $0 == 0 }, "\(golden) \(parameter.name) has a gradient that the case has not")
    }
    for name in names {
      let parameter = try #require(store.trainable.first { $0.name == name }, "\(golden) \(name)")
      expectCloseToMaximum(
        parameter.exported(parameter.gradient), try golden.floats("\(group)/\(name)"), 1e-4, "\(golden) \(name)")
    }
  }

  /// Nothing may have flowed back where the case says zero.
  func compareGradient(of input: Tensor, _ golden: GoldenCase, _ name: String) throws {
    let (shape, expected) = (try golden.shape(name), try golden.floats(name))
    let actual = input.gradientArray ?? [Float](repeating: 0, count: input.count)
    expectCloseToMaximum(
      actual, shape.count == 4 ? channelsInnermost(expected, shape) : expected, 1e-4, "\(golden) \(name)")
  }
}
