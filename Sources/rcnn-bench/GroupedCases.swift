import Kernels
import Primitives

extension ConvolutionCase {
  /// The convolutions in groups of ResNeXts and RegNets, for an input of this size, and the one of the same sizes without
  /// groups to compare each with.
  static func grouped(size: ImageSize, batch: Int) -> [(grouped: ConvolutionCase, dense: ConvolutionCase)] {
    func pair(_ name: String, at stride: Int, _ channels: Int, by group: Int, step: Int = 1) -> (Self, Self) {
      func convolution(_ groups: Int) -> ConvolutionShape {
        ConvolutionShape(
          batch: batch, height: size.height / stride, width: size.width / stride, inChannels: channels,
          outChannels: channels, kernelHeight: 3, kernelWidth: 3, stride: step, padding: 1, groups: groups)
      }
      let name = "\(name) 3x3/\(step) \(channels) by \(group)"
      return (
        ConvolutionCase(name: name, shape: convolution(channels / group)),
        ConvolutionCase(name: "\(name), dense", shape: convolution(1))
      )
    }
    let resNeXts = [("32x4d", 4, 128), ("64x4d", 4, 256), ("32x8d", 8, 256)].flatMap { name, group, channels in
      (0..<4).flatMap { stage in
        let (group, channels) = (group << stage, channels << stage)
        let first = pair("\(name) layer\(stage + 1)", at: 4 << max(0, stage - 1), channels, by: group, step: 2)
        return (stage > 0 ? [first] : []) + [pair("\(name) layer\(stage + 1)", at: 4 << stage, channels, by: group)]
      }
    }
    return resNeXts + [
      pair("RegNetX-800MF layer3", at: 16, 288, by: 16), pair("RegNetX-1.6GF layer3", at: 16, 408, by: 24),
      pair("RegNetX-3.2GF layer1", at: 4, 96, by: 48), pair("RegNetX-3.2GF layer3", at: 8, 432, by: 48, step: 2),
      pair("RegNetX-3.2GF layer3", at: 16, 432, by: 48), pair("RegNetX-4.0GF layer3", at: 16, 560, by: 40),
      pair("RegNetX-6.4GF layer2", at: 8, 392, by: 56), pair("RegNetX-6.4GF layer3", at: 16, 784, by: 56),
      pair("RegNetX-8.0GF layer3", at: 16, 720, by: 120), pair("RegNetX-12GF layer3", at: 16, 896, by: 112),
    ]
  }
}
