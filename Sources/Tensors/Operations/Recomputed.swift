import Kernels

extension Tensor {
  /// `body` of this tensor, without keeping what its backward pass needs: that pass runs `body` once more first (Chen et
  /// al. 2016, "Training deep nets with sublinear memory cost"). The gradients are the same to the bit.
  ///
  /// - Parameters:
  ///   - parameters: those that `body` trains.
  ///   - body: depends on its argument and the parameters alone, and has no other effect.
  public func recomputed(
    training parameters: [Parameter], _ body: @escaping (Tensor) throws -> Tensor
  ) throws -> Tensor {
    guard let tape = engine.tape, needsGradient || !parameters.isEmpty else { return try body(self) }
    let y = try engine.withoutTape { try body(self) }.needingGradient()
    let dy = y.gradientSlot
    let engine = engine
    tape.record(y, parameters: parameters, reading: Again(tensor: self)) { x in
      let (outer, inner) = (engine.tape, Tape())
      engine.tape = inner
      defer { engine.tape = outer }
      let again = try body(x)
      again.gradientSlot.take(from: dy)
      try inner.backward(informing: nil)
    }
    return y
  }
}
