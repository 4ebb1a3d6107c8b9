import Kernels
import Primitives
import Tensors

/// A convolution of ResNet-50 with FPN.
struct ConvolutionCase {
  let name: String
  let shape: ConvolutionShape

  /// The shapes that most of the time goes to, for an input of this size.
  static func all(size: ImageSize, batch: Int) -> [ConvolutionCase] {
    func map(_ name: String, _ stride: Int, _ inputs: Int, _ outputs: Int, _ kernel: Int, step: Int = 1) -> Self {
      let shape = ConvolutionShape(
        batch: batch, height: size.height / stride, width: size.width / stride, inChannels: inputs,
        outChannels: outputs, kernelHeight: kernel, kernelWidth: kernel, stride: step, padding: kernel / 2)
      return ConvolutionCase(name: "\(name) \(kernel)x\(kernel)/\(step) \(inputs)-\(outputs)", shape: shape)
    }
    return [
      map("conv1", 1, 3, 64, 7, step: 2),
      map("layer1", 4, 64, 64, 3), map("layer1", 4, 64, 256, 1),
      map("layer2", 4, 128, 128, 3, step: 2), map("layer2", 8, 128, 128, 3), map("layer2", 8, 512, 128, 1),
      map("layer3", 8, 256, 256, 3, step: 2), map("layer3", 16, 256, 256, 3), map("layer3", 16, 1024, 256, 1),
      map("layer4", 16, 512, 512, 3, step: 2), map("layer4", 32, 512, 512, 3), map("layer4", 32, 512, 2048, 1),
      map("lateral_convs.0", 4, 256, 256, 1),
      map("fpn_convs.0", 4, 256, 256, 3), map("fpn_convs.1", 8, 256, 256, 3), map("fpn_convs.2", 16, 256, 256, 3),
      map("rpn_reg", 4, 256, 12, 1),
      ConvolutionCase(
        name: "shared_fcs.0 12544-1024",
        shape: .linear(rows: 512 * batch, inChannels: 12_544, outChannels: 1024)),
    ]
  }

  /// Operations a second of a direct convolution: forward, gradient of the input, gradient of the weights.
  func rates(_ workers: Workers) -> [Double] {
    let pool = BufferPool()
    var kept: [Buffer] = []
    func filled(_ count: Int) -> Floats {
      let buffer = pool.buffer(count)
      for i in 0..<count { buffer.values[i] = Float(i % 17) / 8 - 1 }
      kept.append(buffer)
      return buffer.values
    }
    let x = filled(shape.batch * shape.height * shape.width * shape.inChannels)
    let dx = filled(shape.batch * shape.height * shape.width * shape.inChannels)
    let (y, weight, dw) = (
      filled(shape.outPixels * shape.outChannels), filled(shape.weightCount), filled(shape.weightCount)
    )
    let work = 2 * Double(shape.outPixels) * Double(shape.weightCount)
    return withExtendedLifetime(kept) {
      [
        operationsPerSecond(work) {
          Convolution.forward(x, weight, ConvolutionEpilogue(), into: y, shape, workers)
        },
        operationsPerSecond(work) {
          Convolution.backwardInput(y, weight, into: dx, isFresh: true, shape, workers)
        },
        operationsPerSecond(work) { Convolution.backwardWeight(x, y, addingTo: dw, shape, workers) },
      ]
    }
  }
}
