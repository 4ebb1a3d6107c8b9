import Kernels
import Primitives
import Tensors
import Testing

/// A NaN in an output's gradient reaches the gradients of the inputs and of all parameters, so that a training that
/// diverges is seen.
@Suite struct NotANumberTests {
  typealias Operation = @Sendable (_ x: Tensor, _ model: Model) throws -> Tensor

  struct Model {
    let deep, point, matrix, bias: Parameter
    let norm: NormParameters
  }

  /// Each with the parameters that it trains.
  static let operations: [(name: String, trains: [String], run: Operation)] = [
    ("Winograd", ["deep", "shift"], { $0.convolution($1.deep, bias: $1.bias, padding: 1) }),
    ("3×3 of stride 2", ["deep", "shift"], { $0.convolution($1.deep, bias: $1.bias, stride: 2, padding: 1) }),
    ("1×1", ["point", "shift"], { $0.convolution($1.point, bias: $1.bias) }),
    ("ReLU at the end", ["deep", "shift"], { $0.convolution($1.deep, bias: $1.bias, padding: 1, relu: true) }),
    (
      "linear", ["matrix", "shift"],
      { $0.reshaped([2 * 12 * 12, 16]).linear($1.matrix, bias: $1.bias) }
    ),
    (
      "frozen norm", ["deep", "weight"],
      { $0.convolution($1.deep, frozenNorm: $1.norm, padding: 1, residual: $0, relu: true) }
    ),
    ("batch norm", ["weight"], { try $0.batchNorm($1.norm, relu: true) }),
    ("group norm", ["weight"], { $0.groupNorm($1.norm, groups: 2, relu: true) }),
    ("ReLU", [], { x, _ in x.relu() }),
    ("max pool", [], { x, _ in x.maxPool(kernel: 3, stride: 2, padding: 1) }),
    (
      "upsampling", ["point"],
      {
        let lateral = $0.convolution($1.point)
        lateral.addUpsampled($0.maxPool(kernel: 1, stride: 2, padding: 0))
        return lateral
      }
    ),
    (
      "at cells", ["deep", "shift"],
      { .convolution(of: [$0], at: [[5, 80]], $1.deep, bias: $1.bias, padding: 1, relu: false) }
    ),
    (
      "RoIAlign", [],
      { x, _ in regions(RoIAlign(outputHeight: 2, outputWidth: 2, samplingRatio: 0, aligned: true), x) }
    ),
    ("RoIPool", [], { x, _ in regions(RoIPool(outputHeight: 2, outputWidth: 2), x) }),
    (
      "recomputed", ["deep", "shift"],
      { x, model in
        try x.recomputed(training: [model.deep, model.bias]) {
          $0.convolution(model.deep, bias: model.bias, padding: 1)
        }
      }
    ),
  ]

  private static func regions(_ layer: any RoILayer, _ x: Tensor) -> Tensor {
    .extractRegions(
      by: layer, from: [x], strides: [4], regions: [.init(image: 1, x1: 3, y1: 5, x2: 30, y2: 41)], levelOf: [0],
      keepLevelsInGraph: true, on: x.engine)
  }

  @Test(arguments: operations.indices) func reachesTheInputsAndTheParameters(_ index: Int) throws {
    let (name, trains, operation) = Self.operations[index]
    let check = GradientCheck()
    let model = Model(
      deep: check.parameter("deep", [16, 16, 3, 3]),
      point: check.parameter("point", [16, 16, 1, 1]), matrix: check.parameter("matrix", [16, 16]),
      bias: check.parameter("shift", [16]), norm: check.norm(16))
    check.store.allocate(seed: 3)
    check.input([2, 12, 12, 16])
    let output = try check.run(gradient: nil) { try operation($0[0], model) }.output
    var gradient = [Float](repeating: 0, count: output.count)
    gradient[try #require(output.indices.last { output[$0] > 0 })] = .nan
    let result = try check.run(gradient: gradient) { try operation($0[0], model) }
    #expect(result.inputs[0].contains { $0.isNaN }, "\(name): the input's gradient")
    for parameter in check.store.trainable where trains.contains(parameter.name) {
      let own = result.parameters[parameter.offset..<parameter.offset + parameter.count]
      #expect(own.contains { $0.isNaN }, "\(name): the gradient of \(parameter.name)")
    }
  }
}
