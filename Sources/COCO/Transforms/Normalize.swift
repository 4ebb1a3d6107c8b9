/// `(pixel - mean) / std` for each channel, as mmcv's `imnormalize` rounds it: the difference in single precision, then the
/// product with the double-precision 1/std, rounded once. With 256 values a channel that is a table.
struct Normalize: Sendable {
  /// For each output channel its 256 values, one channel after the other.
  private let table: [Float]
  private let mean: [Float]
  private let factor: [Double]
  private let swapsChannels: Bool

  /// - Parameters:
  ///   - mean, std: in the order of the output channels.
  ///   - toRGB: whether the output is RGB or BGR.
  init(mean: [Double], std: [Double], toRGB: Bool) {
    let (mean, factor) = (mean.map { Float($0) }, std.map { 1 / Double(Float($0)) })
    table = zip(mean, factor).flatMap { mean, factor in
      (0..<256).map { Float(Double(Float($0) - mean) * factor) }
    }
    (self.mean, self.factor, swapsChannels) = (mean, factor, toRGB)
  }

  /// Writes a row of a picture of floats: blue, green, red for each pixel.
  func write(_ row: [Float], mirrorsX: Bool, to output: UnsafeMutablePointer<Float>) {
    for channel in 0..<3 {
      let (mean, factor, source) = (mean[channel], factor[channel], swapsChannels ? 2 - channel : channel)
      for start in stride(from: 0, to: row.count, by: 3) {
        let target = mirrorsX ? row.count - 3 - start : start
        output[target + channel] = Float(Double(row[start + source] - mean) * factor)
      }
    }
  }

  /// Writes the picture, mirrored first if asked for.
  /// - Parameters:
  ///   - output: `[image.height, stride]` floats, of which the first `image.width · 3` of each row are written.
  ///   - stride: the floats of an output row.
  func write(_ image: DecodedImage, _ flip: FlipDirection?, to output: UnsafeMutablePointer<Float>, stride: Int) {
    let (mirrorsX, mirrorsY) = (flip?.mirrorsX ?? false, flip?.mirrorsY ?? false)
    image.pixels.withUnsafeBufferPointer { pixels in
      guard let start = pixels.baseAddress else { return }
      for y in 0..<image.height {
        let row = start + (mirrorsY ? image.height - 1 - y : y) * image.width * 3
        if mirrorsX {
          write(row + (image.width - 1) * 3, step: -3, count: image.width, to: output + y * stride)
        } else {
          write(row, step: 3, count: image.width, to: output + y * stride)
        }
      }
    }
  }

  @inline(__always)
  private func write(
    _ pixels: UnsafePointer<UInt8>, step: Int, count: Int, to output: UnsafeMutablePointer<Float>
  ) {
    let (source0, source2) = swapsChannels ? (2, 0) : (0, 2)
    table.withUnsafeBufferPointer { table in
      var (pixel, target) = (pixels, output)
      for _ in 0..<count {
        target[0] = table[Int(pixel[source0])]
        target[1] = table[256 &+ Int(pixel[1])]
        target[2] = table[512 &+ Int(pixel[source2])]
        pixel += step
        target += 3
      }
    }
  }
}
