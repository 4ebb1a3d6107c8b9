/// `(pixel - mean) / std` for each channel, as mmcv's `imnormalize` rounds it: the difference in single precision, then the
/// product with the double-precision 1/std, rounded once. With 256 values a channel that is a table.
struct Normalize: Sendable {
  /// For each output channel its 256 values.
  private let tables: [[Float]]
  /// The BGR channel that each output channel reads.
  private let sources: [Int]

  /// - Parameters:
  ///   - mean, std: in the order of the output channels.
  ///   - toRGB: whether the output is RGB or BGR.
  init(mean: [Double], std: [Double], toRGB: Bool) {
    tables = zip(mean, std).map { mean, std in
      (0..<256).map { Float(Double(Float($0) - Float(mean)) * (1 / Double(Float(std)))) }
    }
    sources = toRGB ? [2, 1, 0] : [0, 1, 2]
  }

  /// `[height, width, 3]` floats.
  func apply(_ image: DecodedImage) -> [Float] {
    var output = [Float](repeating: 0, count: image.pixels.count)
    for channel in 0..<3 {
      let (table, source) = (tables[channel], sources[channel])
      for start in stride(from: 0, to: image.pixels.count, by: 3) {
        output[start + channel] = table[Int(image.pixels[start + source])]
      }
    }
    return output
  }
}
