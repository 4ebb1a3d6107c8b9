import Primitives

/// Bilinear resizing of 8-bit pictures with the same bits as OpenCV's `INTER_LINEAR`.
///
/// Pixel centres are at half-integers: target x lies at `(x + 0.5) · scale - 0.5` in the source. Weights are rounded to
/// 11 bits; rows are blended as `((w₀·(h₀ >> 4)) >> 16 + (w₁·(h₁ >> 4)) >> 16 + 2) >> 2` of the 19-bit horizontal sums.
enum Resize {
  /// The picture in a new size.
  static func linear(_ image: DecodedImage, to size: ImageSize) -> DecodedImage {
    guard size != image.size else { return image }
    let columns = Axis(source: image.width, target: size.width, clampsWeights: true)
    let rows = Axis(source: image.height, target: size.height, clampsWeights: false)
    let rowLength = size.width * 3
    var pixels = [UInt8](repeating: 0, count: size.height * rowLength)
    var upper = RowSums(length: rowLength)
    var lower = RowSums(length: rowLength)
    for y in 0..<size.height {
      let row = rows.first[y]
      // Going down, the lower row of before is often the upper one now.
      if upper.row != row && lower.row == row { swap(&upper, &lower) }
      upper.fill(from: image, row: row, columns: columns)
      lower.fill(from: image, row: rows.second[y], columns: columns)
      let (weight0, weight1) = (rows.weight0[y], rows.weight1[y])
      for x in 0..<rowLength {
        let sum0 = (weight0 &* (upper.sums[x] >> 4)) >> 16
        let sum1 = (weight1 &* (lower.sums[x] >> 4)) >> 16
        pixels[y * rowLength + x] = UInt8(truncatingIfNeeded: (sum0 &+ sum1 &+ 2) >> 2)
      }
    }
    return DecodedImage(height: size.height, width: size.width, pixels: pixels)
  }

  /// For each target coordinate the two source coordinates and their weights, in 1/2048.
  private struct Axis {
    var first: [Int] = []
    var second: [Int] = []
    var weight0: [Int32] = []
    var weight1: [Int32] = []

    /// - Parameter clampsWeights: whether a coordinate beyond the border takes the border's pixel with full weight
    ///   (columns), or blends it with itself (rows). OpenCV treats them so; their roundings differ.
    init(source: Int, target: Int, clampsWeights: Bool) {
      let scale = 1 / (Double(target) / Double(source))
      for index in 0..<target {
        let position = Float((Double(index) + 0.5) * scale - 0.5)
        var base = Int(position.rounded(.down))
        var fraction = position - Float(base)
        if clampsWeights && (base < 0 || base >= source - 1) {
          (base, fraction) = (min(max(base, 0), source - 1), 0)
        }
        first.append(min(max(base, 0), source - 1))
        second.append(min(max(base + 1, 0), source - 1))
        weight0.append(Int32(((1 - fraction) * 2048).rounded(.toNearestOrEven)))
        weight1.append(Int32((fraction * 2048).rounded(.toNearestOrEven)))
      }
    }
  }

  /// One source row, resized horizontally: `w₀·p₀ + w₁·p₁` for each target column and channel.
  private struct RowSums {
    var row = -1
    var sums: [Int32]

    init(length: Int) { sums = [Int32](repeating: 0, count: length) }

    mutating func fill(from image: DecodedImage, row: Int, columns: Axis) {
      guard row != self.row else { return }
      self.row = row
      let start = row * image.width * 3
      for x in columns.first.indices {
        let (weight0, weight1) = (columns.weight0[x], columns.weight1[x])
        let (left, right) = (start + columns.first[x] * 3, start + columns.second[x] * 3)
        for channel in 0..<3 {
          let (pixel0, pixel1) = (Int32(image.pixels[left + channel]), Int32(image.pixels[right + channel]))
          sums[x * 3 + channel] = weight0 &* pixel0 &+ weight1 &* pixel1
        }
      }
    }
  }
}

extension ImageSize {
  /// The largest size with the same aspect ratio whose long edge is at most the scale's long one and whose short edge at
  /// most its short one (mmcv's `rescale_size`: `int(edge · factor + 0.5)`).
  func rescaled(within scale: ImageScale) -> ImageSize {
    let (longEdge, shortEdge) = (max(scale.width, scale.height), min(scale.width, scale.height))
    let factor = min(Double(longEdge) / Double(max(height, width)), Double(shortEdge) / Double(min(height, width)))
    return ImageSize(
      height: max(1, Int(Double(height) * factor + 0.5)), width: max(1, Int(Double(width) * factor + 0.5)))
  }

  /// Both edges rounded up to multiples.
  func padded(to divisor: Int) -> ImageSize {
    ImageSize(height: (height + divisor - 1) / divisor * divisor, width: (width + divisor - 1) / divisor * divisor)
  }
}
