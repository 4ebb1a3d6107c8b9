import Kernels
import Primitives

extension Tensor {
  /// The convolution of a map `[N, H, W, in]`; then ReLU if wanted.
  ///
  /// - Parameters:
  ///   - weight: `[out, in / groups, kernelHeight, kernelWidth]`.
  ///   - bias: `[out]`.
  ///   - geometry: stride, padding, dilation and groups.
  ///   - relu: whether the output is cut at zero.
  /// - Returns: `[N, outHeight, outWidth, out]`.
  public func convolution(
    _ weight: ConvolutionWeight, bias: Parameter? = nil, _ geometry: ConvolutionGeometry, relu: Bool = false
  ) -> Tensor {
    let sizes = convolutionShape(weight, geometry)
    return convolution(weight, Bias(parameter: bias), relu: relu, sizes, into: mapShape(sizes))
  }

  /// The convolution with a parameter; `padding` zeros on each side.
  public func convolution(
    _ weight: Parameter, bias: Parameter? = nil, stride: Int = 1, padding: Int = 0, relu: Bool = false
  ) -> Tensor {
    convolution(
      ConvolutionWeight(weight), bias: bias, ConvolutionGeometry(stride: stride, padding: padding), relu: relu)
  }

  /// `x · weightᵀ + bias` for rows `[N, in]`, `weight` `[out, in]` and `bias` `[out]`, then ReLU if wanted; N may be 0.
  ///
  /// - Returns: `[N, out]`.
  public func linear(_ weight: Parameter, bias: Parameter, relu: Bool = false) -> Tensor {
    require(
      shape.count == 2 && weight.shape.count == 2 && shape[1] == weight.shape[1],
      "\(weight.name) of shape \(weight.shape) can't be applied to rows \(shape)")
    return rows(weight, bias, relu: relu)
  }

  /// As `linear` for rows that are windows `[N, kernelHeight · kernelWidth · in]` of a convolution with `weight`.
  func linear(windows weight: Parameter, bias: Parameter, relu: Bool) -> Tensor {
    require(
      shape[1] * weight.shape[0] == weight.count, "\(weight.name) of shape \(weight.shape) meets windows \(shape)")
    return rows(weight, bias, relu: relu)
  }

  private func rows(_ weight: Parameter, _ bias: Parameter, relu: Bool) -> Tensor {
    let sizes = ConvolutionShape.linear(rows: shape[0], inChannels: shape[1], outChannels: weight.shape[0])
    return convolution(
      ConvolutionWeight(weight), Bias(parameter: bias), relu: relu, sizes, into: [shape[0], weight.shape[0]])
  }

  /// The sizes of a convolution of this map `[N, H, W, in]`.
  func convolutionShape(_ weight: ConvolutionWeight, _ geometry: ConvolutionGeometry) -> ConvolutionShape {
    let groups = geometry.groups
    require(
      shape.count == 4 && weight.shape.count == 4 && shape[3] == weight.shape[1] * groups,
      "\(weight.name) of shape \(weight.shape)\(groups == 1 ? "" : ", for \(groups) groups,") can't be convolved with "
        + "a map \(shape)")
    let sizes = ConvolutionShape(
      batch: shape[0], height: shape[1], width: shape[2], inChannels: shape[3], outChannels: weight.shape[0],
      kernelHeight: weight.shape[2], kernelWidth: weight.shape[3], stride: geometry.stride, padding: geometry.padding,
      dilation: geometry.dilation, groups: groups)
    require(sizes.outHeight > 0 && sizes.outWidth > 0, "the map \(shape) is smaller than the kernel of \(weight.name)")
    return sizes
  }

  /// The shape of what a convolution makes of this map.
  func mapShape(_ sizes: ConvolutionShape) -> [Int] {
    [shape[0], sizes.outHeight, sizes.outWidth, sizes.outChannels]
  }

  /// A convolution whose sums s become `scale · s + shift + residual`, then ReLU if wanted.
  func convolution(
    _ weight: ConvolutionWeight, _ affine: some ConvolutionAffine, residual: Tensor? = nil, relu: Bool,
    _ sizes: ConvolutionShape, into outShape: [Int]
  ) -> Tensor {
    require(residual.map { $0.shape == outShape } ?? true, "\(outShape) and a residual \(residual?.shape ?? [])")
    let trained = weight.trained + affine.trained
    let wantsGradient =
      needsGradient || residual?.needsGradient == true || weight.isTrained || !affine.trained.isEmpty
    let y = Tensor(outShape, on: engine, needsGradient: wantsGradient)
    let workers = engine.workers
    let epilogue = ConvolutionEpilogue(
      scale: affine.scale, shift: affine.shift, residual: residual?.values, relu: relu)
    withExtendedLifetime(weight) {
      Convolution.forward(values, weight.values, epilogue, into: y.values, sizes, workers)
    }
    guard y.needsGradient, let tape = engine.tape else { return y }
    let (dy, engine, learned) = (y.gradientSlot, engine, weight.learned)
    let dresidual = residual?.needsGradient == true ? residual?.gradientSlot : nil
    let isIdentity = !relu && dresidual == nil && affine.scale == nil && affine.trained.isEmpty
    let readsInput = weight.isTrained || affine.needsWeightGradient
    if needsGradient { tape.recordInputGradient(gradientSlot, from: y, weight, sizes, workers) }
    tape.record(
      y, parameters: trained, reading: readsInput ? self : nil, relu ? y : nil, weight.folded
    ) { x, mask, folded in
      let sums =
        isIdentity
        ? []
        : ConvolutionEpilogue.backward(
          dy.values, relu: mask, scale: affine.divisor, residual: dresidual?.target(), rows: sizes.outPixels,
          columns: sizes.outChannels, workers)
      affine.addGradients(
        x, ds: dy.values, sums: sums, learned.values(folded), learned, sizes, on: engine)
    }
    return y
  }
}

/// What is done to a convolution's sums for each output channel, and how its parameters and the weights learn.
protocol ConvolutionAffine {
  /// `[out]`; nil: 1.
  var scale: Floats? { get }
  /// `[out]`; nil: 0.
  var shift: Floats? { get }
  /// The trainable parameters behind them.
  var trained: [Parameter] { get }
  /// Whether their gradients follow from that of the weights, which then is wanted even if these are frozen.
  var needsWeightGradient: Bool { get }
  /// What the output's gradient g is multiplied by before `addGradients`: `scale`, or a part of it. nil: 1.
  var divisor: Floats? { get }

  /// Adds the gradients of the weights and of `trained`; turns `ds` from `divisor` · g into `scale` · g.
  ///
  /// - Parameters:
  ///   - x: the input, if the weights are trained or `needsWeightGradient`.
  ///   - sums: Σ g of each channel, if anything is trained here.
  ///   - weight: the weights' values.
  func addGradients(
    _ x: Floats?, ds: Floats, sums: [Double], _ weight: Floats, _ learned: ConvolutionWeight.Learned,
    _ sizes: ConvolutionShape, on engine: Engine)
}

/// A shift, if it is there.
private struct Bias: ConvolutionAffine {
  let parameter: Parameter?

  var scale: Floats? { nil }
  var shift: Floats? { parameter?.values }
  var trained: [Parameter] { [parameter].compactMap { $0 }.filter(\.isTrainable) }
  var needsWeightGradient: Bool { false }
  var divisor: Floats? { nil }

  func addGradients(
    _ x: Floats?, ds: Floats, sums: [Double], _ weight: Floats, _ learned: ConvolutionWeight.Learned,
    _ sizes: ConvolutionShape, on engine: Engine
  ) {
    for parameter in trained { parameter.addGradient(sums) }
    guard let x, let gradient = learned.gradient else { return }
    Convolution.backwardWeight(x, ds, addingTo: gradient, sizes, engine.workers)
  }
}

extension Tape {
  /// The second step of a convolution's backward pass, recorded before the first, which is for its parameters: their
  /// gradients go to the other ranks while this one is computed, and the input's memory is free for it.
  fileprivate func recordInputGradient(
    _ dx: GradientSlot, from y: Tensor, _ weight: ConvolutionWeight, _ sizes: ConvolutionShape, _ workers: Workers
  ) {
    let (dy, learned) = (y.gradientSlot, weight.learned)
    record(y, reading: weight.folded) { folded in
      let (values, isFresh) = dx.target()
      Convolution.backwardInput(dy.values, learned.values(folded), into: values, isFresh: isFresh, sizes, workers)
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
