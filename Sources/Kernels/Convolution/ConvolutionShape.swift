/// The sizes of a two-dimensional convolution without dilation or groups.
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

  public init(
    batch: Int, height: Int, width: Int, inChannels: Int, outChannels: Int, kernelHeight: Int, kernelWidth: Int,
    stride: Int = 1, padding: Int = 0
  ) {
    (self.batch, self.height, self.width) = (batch, height, width)
    (self.inChannels, self.outChannels) = (inChannels, outChannels)
    (self.kernelHeight, self.kernelWidth) = (kernelHeight, kernelWidth)
    (self.stride, self.padding) = (stride, padding)
  }

  /// A linear layer on `rows` rows: the 1 × 1 convolution of as many maps of one pixel.
  public static func linear(rows: Int, inChannels: Int, outChannels: Int) -> ConvolutionShape {
    ConvolutionShape(
      batch: rows, height: 1, width: 1, inChannels: inChannels, outChannels: outChannels, kernelHeight: 1,
      kernelWidth: 1)
  }

  /// The output map's cells; at most 0 where the input is smaller than the kernel.
  public var outHeight: Int { (height + 2 * padding - kernelHeight) / stride + 1 }
  public var outWidth: Int { (width + 2 * padding - kernelWidth) / stride + 1 }
  /// The number of output pixels in all maps.
  public var outPixels: Int { batch * outHeight * outWidth }
  /// The floats of the weights `[out, kernelHeight, kernelWidth, in]`.
  public var weightCount: Int { outChannels * kernelHeight * kernelWidth * inChannels }

  /// What each output pixel sees of the input.
  var windows: Windows {
    Windows(
      batch: batch, height: height, width: width, channels: inChannels, rows: outHeight, columns: outWidth,
      kernelHeight: kernelHeight, kernelWidth: kernelWidth, step: stride, top: -padding, left: -padding)
  }
}
