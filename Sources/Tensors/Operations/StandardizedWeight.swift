import Kernels

extension ConvolutionWeight {
  /// The weights standardised for each output channel (mmcv's `ConvWS2d`; see `WeightStandardization`): they are made of
  /// the parameter's values each time, and their gradient flows back to these.
  public static func standardized(_ parameter: Parameter, on engine: Engine) -> ConvolutionWeight {
    let (outChannels, depth) = (parameter.shape[0], parameter.count / parameter.shape[0])
    let result = Tensor(parameter.shape, on: engine, needsGradient: parameter.isTrainable)
    let workers = engine.workers
    WeightStandardization.forward(
      parameter.values, into: result.values, outChannels: outChannels, depth: depth, workers)
    if result.needsGradient, let tape = engine.tape {
      let gradient = result.gradientSlot
      tape.record(result, parameters: [parameter]) {
        WeightStandardization.backward(
          gradient.values, parameter.values, addingTo: parameter.gradient, outChannels: outChannels, depth: depth,
          workers)
      }
    }
    return ConvolutionWeight(parameter, folded: result)
  }
}
