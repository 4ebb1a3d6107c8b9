import Kernels

extension Tensor {
  /// The convolution of a map `[N, H, W, in]` with `weight`, `[out, in, kernelHeight, kernelWidth]` in
  /// `ParameterLayout.convolution`; `padding` zeros on each side; then ReLU if wanted.
  ///
  /// - Parameter consumesInput: the values of this tensor aren't needed by any other operation's backward pass, so that
  ///   its gradient takes their memory.
  /// - Returns: `[N, outHeight, outWidth, out]`.
  public func convolution(
    _ weight: Parameter, bias: Parameter? = nil, stride: Int = 1, padding: Int = 0, relu: Bool = false,
    consumesInput: Bool = false
  ) -> Tensor {
    let sizes = convolutionShape(weight, stride: stride, padding: padding)
    return convolution(
      weight, bias, relu, sizes, into: [shape[0], sizes.outHeight, sizes.outWidth, sizes.outChannels],
      consumesInput: consumesInput)
  }

  /// `x · weightᵀ + bias` for rows `[N, in]` and `weight` `[out, in]`, then ReLU if wanted; N may be 0.
  ///
  /// - Parameter consumesInput: as for `convolution`.
  /// - Returns: `[N, out]`.
  public func linear(
    _ weight: Parameter, bias: Parameter, relu: Bool = false, consumesInput: Bool = false
  ) -> Tensor {
    precondition(
      shape.count == 2 && weight.shape.count == 2 && shape[1] == weight.shape[1],
      "\(weight.name) of shape \(weight.shape) can't be applied to rows \(shape)")
    let sizes = ConvolutionShape.linear(rows: shape[0], inChannels: shape[1], outChannels: weight.shape[0])
    return convolution(
      weight, bias, relu, sizes, into: [shape[0], weight.shape[0]], consumesInput: consumesInput)
  }

  /// As `linear` for rows that are windows `[N, kernelHeight · kernelWidth · in]` of a convolution with `weight`.
  func linear(windows weight: Parameter, bias: Parameter, relu: Bool) -> Tensor {
    let sizes = ConvolutionShape.linear(rows: shape[0], inChannels: shape[1], outChannels: weight.shape[0])
    precondition(sizes.weightCount == weight.count, "\(weight.name) of shape \(weight.shape) meets windows \(shape)")
    return convolution(
      weight, bias, relu, sizes, into: [shape[0], weight.shape[0]], consumesInput: true)
  }

  /// The sizes of a convolution of this map `[N, H, W, in]`.
  func convolutionShape(_ weight: Parameter, stride: Int, padding: Int) -> ConvolutionShape {
    precondition(
      shape.count == 4 && weight.shape.count == 4 && shape[3] == weight.shape[1],
      "\(weight.name) of shape \(weight.shape) can't be convolved with a map \(shape)")
    let sizes = ConvolutionShape(
      batch: shape[0], height: shape[1], width: shape[2], inChannels: shape[3], outChannels: weight.shape[0],
      kernelHeight: weight.shape[2], kernelWidth: weight.shape[3], stride: stride, padding: padding)
    precondition(
      sizes.outHeight > 0 && sizes.outWidth > 0, "the map \(shape) is smaller than the kernel of \(weight.name)")
    return sizes
  }

  private func convolution(
    _ weight: Parameter, _ bias: Parameter?, _ relu: Bool, _ sizes: ConvolutionShape, into outShape: [Int],
    consumesInput: Bool
  ) -> Tensor {
    let trained = [weight, bias].compactMap { $0 }.filter(\.isTrainable)
    let y = Tensor(outShape, on: engine, needsGradient: needsGradient || !trained.isEmpty)
    let workers = engine.workers
    Convolution.forward(
      values, weight.values, ConvolutionEpilogue(shift: bias?.values, relu: relu), into: y.values, sizes, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    let dy = y.gradientSlot
    let input = weight.isTrainable ? self : nil
    let output = relu ? y : nil
    if needsGradient { tape.recordInputGradient(gradientSlot, from: y, weight, sizes, workers) }
    tape.record(y, parameters: trained) {
      if output != nil || bias?.isTrainable == true {
        let sums = ConvolutionEpilogue.backward(
          dy.values, relu: output?.values, scale: nil, residual: nil, rows: sizes.outPixels,
          columns: sizes.outChannels, workers)
        bias?.addGradient(sums)
      }
      if let input {
        Convolution.backwardWeight(input.values, dy.values, addingTo: weight.gradient, sizes, workers)
        if consumesInput { input.giveMemoryToGradient() }
      }
    }
    return y
  }
}

extension Tape {
  /// The second step of a convolution's backward pass, recorded before the first, which is for its parameters: their
  /// gradients go to the other ranks while this one is computed.
  func recordInputGradient(
    _ dx: GradientSlot, from y: Tensor, _ weight: Parameter, _ sizes: ConvolutionShape, _ workers: Workers
  ) {
    let dy = y.gradientSlot
    record(y) {
      let (values, isFresh) = dx.target()
      Convolution.backwardInput(dy.values, weight.values, into: values, isFresh: isFresh, sizes, workers)
    }
  }
}

extension Parameter {
  /// Adds sums in double precision to the gradient, if there is one.
  func addGradient(_ sums: [Double]) {
    guard isTrainable else { return }
    let target = gradient
    for (i, sum) in sums.enumerated() { target[i] += Float(sum) }
  }
}
