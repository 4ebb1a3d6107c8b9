/// Told, during the backward pass, that a parameter's gradient is final.
public protocol GradientObserver: AnyObject {
  func gradientIsFinal(of parameter: Parameter) throws
  /// Called after each step of the backward pass, so that communication can go on.
  func makeProgress() throws
}

/// The operations of a forward pass in order. Backward pops them from the end, so that what each one kept is freed
/// as soon as it has run.
///
/// A step owns the memory of what it reads, together with other steps that read it and with tensors that somebody still
/// holds. When the last of them lets go, it is free for the gradients that come next: who may write over a map follows
/// from who still reads it, and nobody has to promise anything.
public final class Tape {
  private struct Step {
    let parameters: [Parameter]
    let output: GradientSlot
    let runsWithoutGradient: Bool
    let backward: () throws -> Void
  }
  private var steps: [Step] = []

  public init() {}

  /// The number of steps that were not yet run back.
  public var count: Int { steps.count }

  /// - Parameters:
  ///   - output: what the operation made.
  ///   - parameters: those that `backward` adds gradients to; they are announced in any case.
  ///   - sources: what `backward` reads of the forward pass. It gets their values in this order.
  ///   - runsWithoutGradient: runs `backward` even if nothing flowed back into `output`, because other ranks wait for it.
  ///   - backward: adds to the gradients of the operation's inputs, given that of `output`, which it may overwrite. It
  ///     captures gradient slots, sizes and coefficients, and never a tensor.
  public func record<each Source: Readable>(
    _ output: Tensor, parameters: [Parameter] = [], reading sources: repeat each Source,
    runsWithoutGradient: Bool = false, backward: @escaping (repeat (each Source).Values) throws -> Void
  ) {
    for parameter in parameters { parameter.pendingUses += 1 }
    let kept = (repeat (each sources).kept)
    steps.append(
      Step(
        parameters: parameters, output: output.gradientSlot, runsWithoutGradient: runsWithoutGradient,
        backward: { try backward(repeat (each Source).values(of: each kept)) }))
  }

  /// Runs back from `loss`, a scalar, whose gradient is 1.
  public func backward(from loss: Tensor, informing observer: (any GradientObserver)? = nil) throws {
    loss.gradientSlot.toAddTo()[0] = 1
    try backward(informing: observer)
  }

  /// Runs back from the outputs whose gradients are there.
  func backward(informing observer: (any GradientObserver)?) throws {
    while !steps.isEmpty {
      for parameter in try runLast() {
        parameter.pendingUses -= 1
        if parameter.pendingUses == 0 { try observer?.gradientIsFinal(of: parameter) }
      }
      try observer?.makeProgress()
    }
  }

  /// Runs the last step back and gives its memory free.
  ///
  /// - Returns: its parameters.
  private func runLast() throws -> [Parameter] {
    let step = steps.removeLast()
    if step.output.isFilled || step.runsWithoutGradient { try step.backward() }
    return step.parameters
  }
}
