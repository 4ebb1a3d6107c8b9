import Kernels
import Primitives

extension Tensor {
  /// `scale · Σ values`, a scalar, added up in double precision.
  public func sum(scale: Float = 1) -> Tensor {
    let output = Tensor([1], on: engine, needsGradient: needsGradient)
    var total = 0.0
    for i in 0..<count { total += Double(values[i]) }
    output.values[0] = Float(Double(scale) * total)

    guard needsGradient else { return output }
    let (dy, target) = (output.gradientSlot, gradientSlot)
    engine.tape?.record(output) {
      let (slope, dx) = (scale * dy.values[0], target.toAddTo())
      for i in 0..<target.count { dx[i] += slope }
    }
    return output
  }

  /// The sum of scalars, a scalar. There must be at least one.
  public static func sum(of scalars: [Tensor]) -> Tensor {
    require(!scalars.isEmpty && scalars.allSatisfy { $0.count == 1 }, "only scalars can be added up")
    let engine = scalars[0].engine
    let output = Tensor([1], on: engine, needsGradient: scalars.contains { $0.needsGradient })
    output.values[0] = Float(scalars.reduce(0.0) { $0 + Double($1.values[0]) })

    guard output.needsGradient else { return output }
    let (dy, targets) = (output.gradientSlot, scalars.filter(\.needsGradient).map(\.gradientSlot))
    engine.tape?.record(output) {
      for target in targets { target.toAddTo()[0] += dy.values[0] }
    }
    return output
  }
}
