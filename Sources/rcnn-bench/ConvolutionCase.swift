import Kernels
import Primitives
import Tensors

/// A convolution to be timed.
struct ConvolutionCase {
  let name: String
  let shape: ConvolutionShape

  /// The shapes of ResNet-50 with FPN that most of the time goes to, for an input of this size.
  static func all(size: ImageSize, batch: Int) -> [ConvolutionCase] {
    func map(_ name: String, at stride: Int, _ inputs: Int, to outputs: Int, kernel: Int, step: Int = 1) -> Self {
      let shape = ConvolutionShape(
        batch: batch, height: size.height / stride, width: size.width / stride, inChannels: inputs,
        outChannels: outputs, kernelHeight: kernel, kernelWidth: kernel, stride: step, padding: kernel / 2)
      return ConvolutionCase(name: "\(name) \(kernel)x\(kernel)/\(step) \(inputs)-\(outputs)", shape: shape)
    }
    return [
      map("conv1", at: 1, 3, to: 64, kernel: 7, step: 2),
      map("layer1", at: 4, 64, to: 64, kernel: 3), map("layer1", at: 4, 64, to: 256, kernel: 1),
      map("layer2", at: 4, 128, to: 128, kernel: 3, step: 2), map("layer2", at: 8, 128, to: 128, kernel: 3),
      map("layer2", at: 8, 512, to: 128, kernel: 1),
      map("layer3", at: 8, 256, to: 256, kernel: 3, step: 2), map("layer3", at: 16, 256, to: 256, kernel: 3),
      map("layer3", at: 16, 1024, to: 256, kernel: 1),
      map("layer4", at: 16, 512, to: 512, kernel: 3, step: 2), map("layer4", at: 32, 512, to: 512, kernel: 3),
      map("layer4", at: 32, 512, to: 2048, kernel: 1),
      map("lateral_convs.0", at: 4, 256, to: 256, kernel: 1),
      map("fpn_convs.0", at: 4, 256, to: 256, kernel: 3), map("fpn_convs.1", at: 8, 256, to: 256, kernel: 3),
      map("fpn_convs.2", at: 16, 256, to: 256, kernel: 3),
      map("rpn_reg", at: 4, 256, to: 12, kernel: 1),
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
