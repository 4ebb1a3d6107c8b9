/// The sizes of maps `[images, pixels, channels]`, where pixels are rows × columns.
public struct MapSize: Hashable, Sendable {
  public let images: Int
  public let pixels: Int
  public let channels: Int

  public init(images: Int, pixels: Int, channels: Int) {
    (self.images, self.pixels, self.channels) = (images, pixels, channels)
  }
}

/// Two sums over the pixels for each image and channel, each `[images, channels]`.
public struct ChannelSums: Sendable {
  public var first: [Double]
  public var second: [Double]
}

/// The gradient of an output, as it flowed back: `g = dy`, cut to where y > 0 if ReLU made the output (`mask` is y), and zero
/// without `dy`.
public struct OutputGradient {
  public let dy: Floats?
  public let mask: Floats?

  public init(_ dy: Floats?, maskedBy mask: Floats? = nil) { (self.dy, self.mask) = (dy, mask) }

  /// The floats `count` from `offset` on: in place where that is possible, else written into `buffer`.
  @inline(__always)
  func row(_ offset: Int, _ count: Int, in buffer: Floats) -> Floats {
    guard let dy else {
      buffer.update(repeating: 0, count: count)
      return buffer
    }
    guard let mask else { return dy + offset }
    let (source, y) = (dy + offset, mask + offset)
    for c in 0..<count { buffer[c] = y[c] > 0 ? source[c] : 0 }
    return buffer
  }
}

/// The four passes over a map of which batch norm, its synchronised kind, and group norm are made:
///
///     moments   Σ x, Σ x²                      affine    y = scale · x + shift (+ residual) (then ReLU)
///     products  Σ g, Σ g · x                   combine   dx = a · g + b · x + c
///
/// Sums are for each image and channel, in double precision. Coefficients are `[channels]` or `[images, channels]`.
public enum Normalization {
  /// Σ x and Σ x².
  public static func moments(_ x: Floats, _ size: MapSize, _ workers: Workers) -> ChannelSums {
    sums(size, workers) { pixels, _, first, second in
      for pixel in pixels {
        let row = x + pixel * size.channels
        for c in 0..<size.channels {
          let value = Double(row[c])
          first[c] += value
          second[c] += value * value
        }
      }
    }
  }

  /// Σ g and Σ g · x. Also hands g on to the gradient of a residual, if there is one: writes it when fresh, else adds.
  public static func products(
    _ gradient: OutputGradient, _ x: Floats, residual: (values: Floats, isFresh: Bool)? = nil, _ size: MapSize,
    _ workers: Workers
  ) -> ChannelSums {
    let channels = size.channels
    return sums(size, workers) { pixels, scratch, first, second in
      let buffer = scratch.floats(channels)
      for pixel in pixels {
        let offset = pixel * channels
        let (row, g) = (x + offset, gradient.row(offset, channels, in: buffer))
        for c in 0..<channels {
          let value = Double(g[c])
          first[c] += value
          second[c] += value * Double(row[c])
        }
        if let residual { store(g, into: residual.values + offset, isFresh: residual.isFresh, channels) }
      }
    }
  }

  /// Writes `y`, which may be `x`. `residual` is as x; `relu` cuts at zero, and NaN stays.
  public static func affine(
    _ x: Floats, scale: [Float], shift: [Float], residual: Floats? = nil, relu: Bool, into y: Floats,
    _ size: MapSize, _ workers: Workers
  ) {
    let channels = size.channels
    forEachChunk(of: size, workers) { image, pixels, _ in
      let set = scale.count > channels ? image * channels : 0
      for pixel in pixels {
        let (source, target) = (x + pixel * channels, y + pixel * channels)
        if let residual {
          let other = residual + pixel * channels
          for c in 0..<channels { target[c] = source[c] * scale[set + c] + shift[set + c] + other[c] }
        } else {
          for c in 0..<channels { target[c] = source[c] * scale[set + c] + shift[set + c] }
        }
        if relu { for c in 0..<channels { target[c] = target[c] < 0 ? 0 : target[c] } }
      }
    }
  }

  /// Writes `dx` as a whole when it is fresh, else adds to it. `x` is the input; `a`, `b` and `c` are as in the formula.
  public static func combine(
    _ gradient: OutputGradient, a: [Float], statistics: (x: Floats, b: [Float], c: [Float]),
    into dx: Floats, isFresh: Bool, _ size: MapSize, _ workers: Workers
  ) {
    let channels = size.channels
    forEachChunk(of: size, workers) { image, pixels, scratch in
      let buffer = scratch.floats(2 * channels)
      let set = a.count > channels ? image * channels : 0
      for pixel in pixels {
        let offset = pixel * channels
        let g = gradient.row(offset, channels, in: buffer)
        let result = isFresh ? dx + offset : buffer + channels
        let (row, b, c) = (statistics.x + offset, statistics.b, statistics.c)
        for k in 0..<channels { result[k] = a[set + k] * g[k] + b[set + k] * row[k] + c[set + k] }
        if !isFresh { store(result, into: dx + offset, isFresh: false, channels) }
      }
    }
  }

  @inline(__always)
  private static func store(_ source: Floats, into target: Floats, isFresh: Bool, _ count: Int) {
    if isFresh {
      for c in 0..<count { target[c] = source[c] }
    } else {
      for c in 0..<count { target[c] += source[c] }
    }
  }

  /// The pixels of a chunk: 65536 floats or so.
  private static func chunk(_ size: MapSize) -> Int { max(16, (1 << 16) / size.channels) }

  /// Runs `body` on chunks of pixels, which are numbered over all images.
  private static func forEachChunk(
    of size: MapSize, _ workers: Workers, _ body: (_ image: Int, _ pixels: Range<Int>, _ scratch: Scratch) -> Void
  ) {
    let chunk = chunk(size)
    let chunks = (size.pixels + chunk - 1) / chunk
    workers.run(jobs: size.images * chunks) { job, scratch in
      let (image, start) = (job / chunks, job % chunks * chunk)
      let base = image * size.pixels
      body(image, base + start..<base + min(size.pixels, start + chunk), scratch)
    }
  }

  /// Adds up over the chunks of each image in order.
  private static func sums(
    _ size: MapSize, _ workers: Workers,
    _ add: (
      _ pixels: Range<Int>, _ scratch: Scratch, _ first: UnsafeMutablePointer<Double>,
      _ second: UnsafeMutablePointer<Double>
    ) -> Void
  ) -> ChannelSums {
    let (channels, chunk) = (size.channels, chunk(size))
    let chunks = (size.pixels + chunk - 1) / chunk
    let partial = workers.shared.doubles(size.images * chunks * 2 * channels)
    forEachChunk(of: size, workers) { image, pixels, scratch in
      let job = image * chunks + (pixels.lowerBound - image * size.pixels) / chunk
      let first = partial + job * 2 * channels
      first.update(repeating: 0, count: 2 * channels)
      add(pixels, scratch, first, first + channels)
    }
    let zeros = [Double](repeating: 0, count: size.images * channels)
    var sums = ChannelSums(first: zeros, second: zeros)
    for job in 0..<size.images * chunks {
      let (source, base) = (partial + job * 2 * channels, job / chunks * channels)
      for c in 0..<channels {
        sums.first[base + c] += source[c]
        sums.second[base + c] += source[channels + c]
      }
    }
    return sums
  }
}
