import Primitives

/// Bilinear resizing of 8-bit pictures with the same bits as OpenCV's `INTER_LINEAR`, or in floats as it resizes those.
///
/// Pixel centres are at half-integers: target x lies at `(x + 0.5) · scale - 0.5` in the source. Weights are rounded to
/// 11 bits; rows are blended as `((w₀·(h₀ >> 4)) >> 16 + (w₁·(h₁ >> 4)) >> 16 + 2) >> 2` of the 19-bit horizontal sums.
enum Resize {
  /// The picture in a new size. The scale is that of the stored picture, also where it was decoded at a reduced one.
  static func linear(_ image: DecodedImage, to size: ImageSize, _ pool: PixelPool) -> DecodedImage {
    guard size != image.size else { return image }
    let (columns, rows) = axes(image, to: size)
    let weights = rows.taps.map { Weights($0) }
    var pixels = pool.take(size.height * size.width * 3)
    var upper = RowSums(source: image.width, target: size.width)
    var lower = upper
    pixels.withUnsafeMutableBufferPointer { target in
      image.pixels.withUnsafeBufferPointer { source in
        guard var row = target.baseAddress, let source = source.baseAddress else { return }
        for (tap, weights) in zip(rows.taps, weights) {
          // Going down, the lower row of before is often the upper one now.
          if upper.row != tap.first && lower.row == tap.first { swap(&upper, &lower) }
          upper.fill(from: source, row: tap.first, columns)
          lower.fill(from: source, row: tap.second, columns)
          upper.blend(with: lower, weights, into: row)
          row += size.width * 3
        }
      }
    }
    return DecodedImage(height: size.height, width: size.width, pixels: pixels)
  }

  private static func axes(_ image: DecodedImage, to size: ImageSize) -> (columns: Axis, rows: Axis) {
    let reduction = Double(image.reduction)
    let columns = Axis(
      source: image.width, extent: Double(image.fullSize.width) / reduction, target: size.width, clampsWeights: true)
    let rows = Axis(
      source: image.height, extent: Double(image.fullSize.height) / reduction, target: size.height,
      clampsWeights: false)
    return (columns, rows)
  }

  /// For each target coordinate the two source coordinates and their weights.
  private struct Axis {
    struct Tap {
      let first: Int
      let second: Int
      /// The second one's weight.
      let fraction: Float
      /// 1 - fraction and fraction in 1/2048.
      let weight0: Int16
      let weight1: Int16
    }

    let taps: [Tap]

    /// - Parameters:
    ///   - source: the source's pixels.
    ///   - extent: its length in them; not whole where the last pixel stands for less than the others.
    ///   - clampsWeights: whether a coordinate beyond the border takes the border's pixel with full weight
    ///     (columns), or blends it with itself (rows). OpenCV treats them so; their roundings differ.
    init(source: Int, extent: Double, target: Int, clampsWeights: Bool) {
      let scale = 1 / (Double(target) / extent)
      taps = (0..<target).map { index in
        let position = Float((Double(index) + 0.5) * scale - 0.5)
        var base = Int(position.rounded(.down))
        var fraction = position - Float(base)
        if clampsWeights && (base < 0 || base >= source - 1) {
          (base, fraction) = (min(max(base, 0), source - 1), 0)
        }
        return Tap(
          first: min(max(base, 0), source - 1), second: min(max(base + 1, 0), source - 1), fraction: fraction,
          weight0: Int16(((1 - fraction) * 2048).rounded(.toNearestOrEven)),
          weight1: Int16((fraction * 2048).rounded(.toNearestOrEven)))
      }
    }
  }

  /// One source row, resized horizontally: `(w₀·p₀ + w₁·p₁) >> 4` for each target column and channel, at most 32640.
  private struct RowSums {
    private(set) var row = -1
    /// The target row's `width · 3` sums, rounded up to whole vectors.
    private var sums: [SIMD8<Int16>]
    /// The source row with the channels of a pixel at bits 0, 21 and 42 of a word, so that one product weighs all three.
    private var words: [UInt64]
    private let count: Int

    init(source: Int, target: Int) {
      count = target * 3
      sums = [SIMD8<Int16>](repeating: .zero, count: (count + 7) / 8)
      words = [UInt64](repeating: 0, count: source)
    }

    mutating func fill(from source: UnsafePointer<UInt8>, row: Int, _ columns: Axis) {
      guard row != self.row else { return }
      self.row = row
      pack(source + row &* words.count &* 3)
      words.withUnsafeBufferPointer { words in
        sums.withUnsafeMutableBytes { bytes in
          guard var sum = bytes.baseAddress?.assumingMemoryBound(to: Int16.self) else { return }
          for tap in columns.taps {
            let total =
              UInt64(truncatingIfNeeded: tap.weight0) &* words[tap.first]
              &+ UInt64(truncatingIfNeeded: tap.weight1) &* words[tap.second]
            // A sum has 19 bits at most: of the next one's, nothing is among the 16 that are kept.
            sum[0] = Int16(truncatingIfNeeded: total &>> 4)
            sum[1] = Int16(truncatingIfNeeded: total &>> 25)
            sum[2] = Int16(truncatingIfNeeded: total &>> 46)
            sum += 3
          }
        }
      }
    }

    private mutating func pack(_ source: UnsafePointer<UInt8>) {
      words.withUnsafeMutableBufferPointer { words in
        var pixel = source
        for x in 0..<words.count {
          words[x] = UInt64(pixel[0]) | UInt64(pixel[1]) &<< 21 | UInt64(pixel[2]) &<< 42
          pixel += 3
        }
      }
    }

    /// The weighted sum of two rows, as pixels.
    func blend(with other: RowSums, _ weights: Weights, into row: UnsafeMutablePointer<UInt8>) {
      for vector in 0..<count / 8 {
        let pixels = weights.blend(sums[vector], other.sums[vector])
        UnsafeMutableRawPointer(row + vector &* 8).storeBytes(of: pixels, as: SIMD8<UInt8>.self)
      }
      guard let last = sums.last, let otherLast = other.sums.last, count % 8 > 0 else { return }
      let pixels = weights.blend(last, otherLast)
      for lane in 0..<count % 8 { row[count / 8 * 8 + lane] = pixels[lane] }
    }
  }

  /// The weights of two rows, eight times. They are made and used in different loops: only of vectors that come from
  /// memory does LLVM know that 16 bits are enough, and does eight products in one instruction.
  private struct Weights {
    let upper: SIMD8<Int16>
    let lower: SIMD8<Int16>

    init(_ tap: Axis.Tap) { (upper, lower) = (SIMD8(repeating: tap.weight0), SIMD8(repeating: tap.weight1)) }

    /// `((w₀·h₀) >> 16 + (w₁·h₁) >> 16 + 2) >> 2`.
    @inline(__always)
    func blend(_ sums0: SIMD8<Int16>, _ sums1: SIMD8<Int16>) -> SIMD8<UInt8> {
      let total = Self.product(upper, sums0) &+ Self.product(lower, sums1) &+ 2
      return SIMD8<UInt8>(truncatingIfNeeded: total &>> 2)
    }

    /// `(w·h) >> 16`.
    @inline(__always)
    private static func product(_ weight: SIMD8<Int16>, _ sum: SIMD8<Int16>) -> SIMD8<Int16> {
      let product = SIMD8<Int32>(truncatingIfNeeded: weight) &* SIMD8<Int32>(truncatingIfNeeded: sum)
      return SIMD8<Int16>(truncatingIfNeeded: product &>> 16)
    }
  }
}

extension Resize {
  /// Gives the rows of the resized picture one after the other, not rounded: blue, green, red for each pixel.
  static func floatRows(_ image: DecodedImage, to size: ImageSize, _ body: (_ y: Int, _ row: [Float]) -> Void) {
    let (columns, rows) = axes(image, to: size)
    var upper = FloatRow(width: size.width)
    var (lower, result) = (upper, upper.values)
    for (y, tap) in rows.taps.enumerated() {
      if upper.row != tap.first && lower.row == tap.first { swap(&upper, &lower) }
      upper.fill(from: image, row: tap.first, columns)
      lower.fill(from: image, row: tap.second, columns)
      for i in result.indices {
        result[i] = upper.values[i] * (1 - tap.fraction) + lower.values[i] * tap.fraction
      }
      body(y, result)
    }
  }

  /// One source row, resized horizontally.
  private struct FloatRow {
    private(set) var row = -1
    private(set) var values: [Float]

    init(width: Int) { values = [Float](repeating: 0, count: width * 3) }

    mutating func fill(from image: DecodedImage, row: Int, _ columns: Axis) {
      guard row != self.row else { return }
      self.row = row
      let start = row * image.width * 3
      image.pixels.withUnsafeBufferPointer { pixels in
        for (x, tap) in columns.taps.enumerated() {
          let (first, second) = (start + tap.first * 3, start + tap.second * 3)
          for channel in 0..<3 {
            values[x * 3 + channel] =
              Float(pixels[first + channel]) * (1 - tap.fraction) + Float(pixels[second + channel]) * tap.fraction
          }
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
