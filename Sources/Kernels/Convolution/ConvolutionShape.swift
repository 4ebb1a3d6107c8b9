import Primitives

/// The sizes of a two-dimensional convolution.
public struct ConvolutionShape: Hashable, Sendable {
  /// The number of maps; may be 0.
  public let batch: Int
  /// The input map's cells.
  public let height: Int
  public let width: Int
  public let inChannels: Int
  public let outChannels: Int
  public let kernelHeight: Int
  public let kernelWidth: Int
  /// The input cells from one window to the next, along both axes.
  public let stride: Int
  /// Zeros on each side.
  public let padding: Int
  /// The input cells from one tap of the kernel to the next, along both axes.
  public let dilation: Int
  /// The channels fall into so many groups, and an output channel sees the input channels of its group alone.
  public let groups: Int

  public init(
    batch: Int, height: Int, width: Int, inChannels: Int, outChannels: Int, kernelHeight: Int, kernelWidth: Int,
    stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) {
    require(
      inChannels % groups == 0 && outChannels % groups == 0,
      "\(inChannels) and \(outChannels) channels don't fall into \(groups) groups")
    (self.batch, self.height, self.width) = (batch, height, width)
    (self.inChannels, self.outChannels) = (inChannels, outChannels)
    (self.kernelHeight, self.kernelWidth) = (kernelHeight, kernelWidth)
    (self.stride, self.padding, self.dilation, self.groups) = (stride, padding, dilation, groups)
  }

  /// A linear layer on `rows` rows: the 1 × 1 convolution of as many maps of one pixel.
  public static func linear(rows: Int, inChannels: Int, outChannels: Int) -> ConvolutionShape {
    ConvolutionShape(
      batch: rows, height: 1, width: 1, inChannels: inChannels, outChannels: outChannels, kernelHeight: 1,
      kernelWidth: 1)
  }

  /// The output map's cells; at most 0 where the input is smaller than the kernel.
  public var outHeight: Int { (height + 2 * padding - (kernelHeight - 1) * dilation - 1) / stride + 1 }
  public var outWidth: Int { (width + 2 * padding - (kernelWidth - 1) * dilation - 1) / stride + 1 }
  /// The number of output pixels in all maps.
  public var outPixels: Int { batch * outHeight * outWidth }
  /// The channels of a group.
  public var groupInChannels: Int { inChannels / groups }
  public var groupOutChannels: Int { outChannels / groups }
  /// The floats of the weights `[out, kernelHeight, kernelWidth, in / groups]`.
  public var weightCount: Int { outChannels * kernelHeight * kernelWidth * groupInChannels }

  /// What each output pixel of a group sees of the input.
  func windows(group: Int = 0) -> Windows {
    windows(channels: group * groupInChannels..<(group + 1) * groupInChannels)
  }

  /// What each output pixel would see of some channels of the input.
  func windows(channels: Range<Int>) -> Windows {
    Windows(
      batch: batch, height: height, width: width, mapChannels: inChannels, firstChannel: channels.lowerBound,
      channels: channels.count, rows: outHeight, columns: outWidth, kernelHeight: kernelHeight,
      kernelWidth: kernelWidth, step: stride, dilation: dilation, top: -padding, left: -padding)
  }
}
