import Primitives
import Tensors
import Testing

/// A random model for a test: tensors and parameters that `checkGradient` moves.
final class GradientCheck {
  let store = ParameterStore()
  private var inputs: [(shape: [Int], values: [Float])] = []
  private var random: KeyedRandom

  init(seed: UInt64 = 0) { random = KeyedRandom(seed: seed, purpose: .test) }

  /// Between -1 and 1.
  func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in 2 * random.uniform() - 1 } }

  func parameter(_ name: String, _ shape: [Int], isTrainable: Bool = true) -> Parameter {
    store.add(
      name, shape: shape, layout: shape.count == 4 ? .convolution : .plain, isTrainable: isTrainable,
      initializer: .normal(0.5))
  }

  /// A norm with positive variances.
  func norm(_ channels: Int, isTrainable: Bool = true) -> NormParameters {
    NormParameters(
      weight: parameter("weight", [channels], isTrainable: isTrainable),
      bias: parameter("bias", [channels], isTrainable: isTrainable),
      runningMean: store.add("running_mean", shape: [channels], isTrainable: false, initializer: .normal(0.5)),
      runningVar: store.add("running_var", shape: [channels], isTrainable: false, initializer: .constant(0.7)))
  }

  func input(_ shape: [Int], _ values: [Float]? = nil) {
    inputs.append((shape, values ?? numbers(shape.reduce(1, *))))
  }

  /// The output and, in training, the gradients of the inputs and of the arena after `gradient` flowed back into it.
  func run(
    threads: Int = 2, gradient: [Float]?, _ operation: ([Tensor]) throws -> Tensor
  ) throws -> (output: [Float], inputs: [[Float]], parameters: [Float]) {
    let engine = Engine(threads: threads)
    if gradient != nil { engine.tape = Tape() }
    let tensors = inputs.map { Tensor($0.shape, $0.values, on: engine, needsGradient: true) }
    let y = try operation(tensors)
    guard let gradient else { return (y.array, [], []) }
    if store.trainableCount == 0 { store.allocate(seed: 7) }
    store.zeroGradients()
    try backward(from: y, gradient)
    let arena = (0..<store.trainableCount).map { store.gradients[$0] }
    return (y.array, tensors.map { $0.gradientArray! }, arena)
  }

  /// Compares the derivative of ⟨v, f⟩ along a random direction, by Richardson's extrapolation of central
  /// differences, with the gradients' projection on it, for the inputs and the trainable parameters.
  func check(step: Float = 0.05, sourceLocation: SourceLocation = #_sourceLocation, _ f: ([Tensor]) throws -> Tensor)
    throws
  {
    if store.trainableCount == 0 { store.allocate(seed: 7) }
    let covector = numbers(try run(gradient: nil, f).output.count)
    let (_, inputGradients, arena) = try run(gradient: covector, f)
    let directions = inputs.map { numbers($0.values.count) } + [numbers(arena.count)]
    let gradients = inputGradients + [arena]
    for (k, direction) in directions.enumerated() where !direction.isEmpty {
      func slope(_ h: Float) throws -> Double {
        let difference = zip(
          covector,
          zip(try moved(k, direction, h, f), try moved(k, direction, -h, f)).map { Double($0) - Double($1) })
        return difference.reduce(0) { $0 + Double($1.0) * $1.1 } / Double(2 * h)
      }
      let numerical = try (4 * slope(step / 2) - slope(step)) / 3
      let terms = zip(gradients[k], direction).map { Double($0) * Double($1) }
      let scale = terms.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let projection = terms.reduce(0, +)
      #expect(
        abs(projection - numerical) <= 1e-4 * scale, "argument \(k): \(projection), not \(numerical)",
        sourceLocation: sourceLocation)
    }
  }

  /// The output with argument `k` (after the inputs come the parameters) moved along `direction`.
  private func moved(_ k: Int, _ direction: [Float], _ h: Float, _ f: ([Tensor]) throws -> Tensor) throws -> [Float] {
    if k < inputs.count {
      let old = inputs[k].values
      defer { inputs[k].values = old }
      inputs[k].values = zip(old, direction).map { $0 + h * $1 }
      return try run(gradient: nil, f).output
    }
    let old = direction.indices.map { store.values[$0] }
    defer { for i in direction.indices { store.values[i] = old[i] } }
    for i in direction.indices { store.values[i] += h * direction[i] }
    return try run(gradient: nil, f).output
  }
}

/// Runs back from ⟨gradient, y⟩.
func backward(from y: Tensor, _ gradient: [Float], informing observer: (any GradientObserver)? = nil) throws {
  let loss = Tensor([1], [0], on: y.engine, needsGradient: true)
  y.engine.tape!.record(loss) {
    let target = y.gradientSlot.toAddTo()
    for i in gradient.indices { target[i] += gradient[i] }
  }
  try y.engine.tape!.backward(from: loss, informing: observer)
}
