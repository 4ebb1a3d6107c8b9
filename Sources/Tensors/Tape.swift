/// Told, during the backward pass, that a parameter's gradient is final.
public protocol GradientObserver: AnyObject {
  func gradientIsFinal(of parameter: Parameter) throws
  /// Called after each step of the backward pass, so that communication can go on.
  func makeProgress() throws
}

/// The operations of a forward pass in order. Backward pops them from the end, so that what each one kept is freed
/// as soon as it has run.
public final class Tape {
  private struct Step {
    let parameters: [Parameter]
    let output: GradientSlot
    let runsWithoutGradient: Bool
    let backward: () throws -> Void
  }
  private var steps: [Step] = []

  public init() {}

  public var count: Int { steps.count }

  /// `backward` adds to the gradients of the operation's inputs, given the gradient of `output`, which it may
  /// overwrite. It is skipped when nothing flowed back into `output`, unless it `runsWithoutGradient` because other
  /// ranks wait for it. The parameters are announced in any case.
  public func record(
    _ output: Tensor, parameters: [Parameter] = [], runsWithoutGradient: Bool = false,
    backward: @escaping () throws -> Void
  ) {
    for parameter in parameters { parameter.pendingUses += 1 }
    steps.append(
      Step(
        parameters: parameters, output: output.gradientSlot, runsWithoutGradient: runsWithoutGradient,
        backward: backward))
  }

  /// Runs back from `loss`, a scalar, whose gradient is 1.
  public func backward(from loss: Tensor, informing observer: (any GradientObserver)? = nil) throws {
    loss.gradientSlot.toAddTo()[0] = 1
    try backward(informing: observer)
  }

  /// Runs back from the outputs whose gradients are there.
  func backward(informing observer: (any GradientObserver)?) throws {
    while let step = steps.popLast() {
      if step.output.isFilled || step.runsWithoutGradient { try step.backward() }
      for parameter in step.parameters {
        parameter.pendingUses -= 1
        if parameter.pendingUses == 0 { try observer?.gradientIsFinal(of: parameter) }
      }
      try observer?.makeProgress()
    }
  }
}
