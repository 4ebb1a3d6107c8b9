import Foundation
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

  /// The sum and the Euclidean norm of every gradient, where the case has them, and those that it has in full.
  func compareGradientSums(_ golden: GoldenCase, _ relative: Float = 1e-4) throws {
    let text = try #require(golden.string("trainable_params"))
    let names = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String])
    #expect(Set(store.trainable.map(\.name)) == Set(names), "\(golden)")
    let (sums, norms) = (try golden.floats("expected/grad_sum"), try golden.floats("expected/grad_l2"))
    let small = (norms.max() ?? 0) * 1e-6
    for (index, name) in names.enumerated() {
      let parameter = try #require(store.trainable.first { $0.name == name }, "\(golden) \(name)")
      let gradient = (0..<parameter.count).map { Double(parameter.gradient[$0]) }
      let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let tolerance = Double(relative * norms[index] + small)
      #expect(abs(norm - Double(norms[index])) <= tolerance, "\(golden) \(name): \(norm), not \(norms[index])")
      let spread = tolerance * Double(parameter.count).squareRoot()
      #expect(abs(gradient.reduce(0, +) - Double(sums[index])) <= spread, "\(golden) \(name)")
    }
    for name in try golden.members("expected/grad") {
      let parameter = try #require(store.trainable.first { $0.name == name }, "\(golden) \(name)")
      expectCloseToMaximum(
        parameter.exported(parameter.gradient), try golden.floats("expected/grad/\(name)"), relative,
        "\(golden) \(name)")
    }
  }

  /// What batch norm gathered, where the case has it.
  func compareStatistics(_ golden: GoldenCase) throws {
    guard golden.has("expected/buffers_after") else { return }
    for name in try golden.members("expected/buffers_after") where !name.hasSuffix("num_batches_tracked") {
      let parameter = try #require(store.parameters.first { $0.name == name })
      expectCloseToMaximum(
        parameter.exported(parameter.values), try golden.floats("expected/buffers_after/\(name)"), 2e-5,
        "\(golden) \(name)")
    }
  }

  /// Nothing may have flowed back where the case says zero.
  func compareGradient(of input: Tensor, _ golden: GoldenCase, _ name: String, _ tolerance: Float = 1e-4) throws {
    let (shape, expected) = (try golden.shape(name), try golden.floats(name))
    let actual = input.gradientArray ?? [Float](repeating: 0, count: input.count)
    expectCloseToMaximum(
      actual, shape.count == 4 ? channelsInnermost(expected, shape) : expected, tolerance, "\(golden) \(name)")
  }
}
