/// What a convolution does to its sums s on their way to memory, and the way back:
///
///     y = scale · s + shift + residual, then ReLU        g = dy where y > 0 (all of dy without ReLU)
///     dshift = Σ g        dresidual = g        ds = scale · g
///
/// Without `scale`, `shift` and `residual` these are 1, 0 and 0. A bias is a shift alone; a norm with fixed statistics is
/// both, scale = γ/σ and shift = β − μ γ/σ.
public struct ConvolutionEpilogue {
  /// `[out]`; nil: 1.
  public var scale: Floats?
  /// `[out]`; nil: 0.
  public var shift: Floats?
  /// `[rows, out]` as y; nil: 0.
  public var residual: Floats?
  /// Whether y is cut at zero. NaN stays.
  public var relu: Bool

  public init(scale: Floats? = nil, shift: Floats? = nil, residual: Floats? = nil, relu: Bool = false) {
    (self.scale, self.shift, self.residual, self.relu) = (scale, shift, residual, relu)
  }

  private var isIdentity: Bool { scale == nil && shift == nil && residual == nil && !relu }

  /// Finishes `rows` × `columns` sums in place: those of y from row `firstRow` and column `firstColumn` on, whose rows
  /// are `stride` floats apart, as the residual's are.
  func apply(to y: Floats, firstRow: Int, rows: Int, firstColumn: Int, columns: Int, stride: Int) {
    if isIdentity { return }
    let whole = columns / Vector.scalarCount * Vector.scalarCount
    for r in firstRow..<firstRow + rows {
      let offset = r * stride + firstColumn
      for c in Swift.stride(from: 0, to: whole, by: Vector.scalarCount) {
        finish(Vector.self, y, firstColumn + c, offset + c)
      }
      for c in whole..<columns { finish(Float.self, y, firstColumn + c, offset + c) }
    }
  }

  @inline(__always)
  private func finish<Sums: Channels>(_ sums: Sums.Type, _ y: Floats, _ channel: Int, _ offset: Int) {
    finish(Sums(at: y + offset), channel: channel, offset: offset).write(to: y + offset)
  }

  /// The sums of one channel or of sixteen neighbouring ones of a pixel, from `channel` on; `offset` is their place in y.
  @inline(__always)
  func finish<Sums: Channels>(_ sums: Sums, channel: Int, offset: Int) -> Sums {
    var value = sums
    if let scale { value = value * Sums(at: scale + channel) }
    if let shift { value = value + Sums(at: shift + channel) }
    if let residual { value = value + Sums(at: residual + offset) }
    return relu ? value.cutAtZero : value
  }

  /// Turns `dy`, `[rows, columns]`, into ds in place, and hands g on to the gradient of the residual: writes it when
  /// fresh, else adds.
  ///
  /// - Parameters:
  ///   - dy: the gradient of the output, `[rows, columns]`; ds when done.
  ///   - y: the output, `[rows, columns]`, where ReLU made it.
  ///   - scale: `[columns]`; nil: 1.
  ///   - residual: the gradient of the residual, `[rows, columns]`, and whether it is fresh.
  ///   - rows: the pixels of all images.
  ///   - columns: the output channels.
  ///   - workers: the threads that share the rows.
  /// - Returns: Σ g of each column, in double precision.
  public static func backward(
    _ dy: Floats, relu y: Floats?, scale: Floats?, residual: (values: Floats, isFresh: Bool)?, rows: Int,
    columns: Int, _ workers: Workers
  ) -> [Double] {
    let chunk = max(16, (1 << 15) / columns)
    let chunks = (rows + chunk - 1) / chunk
    let partial = workers.shared.doubles(chunks * columns)
    workers.run(jobs: chunks) { job, _ in
      let sums = partial + job * columns
      sums.update(repeating: 0, count: columns)
      for row in job * chunk..<min(rows, (job + 1) * chunk) {
        let g = dy + row * columns
        if let y = y.map({ $0 + row * columns }) { for c in 0..<columns { g[c] = y[c] > 0 ? g[c] : 0 } }
        for c in 0..<columns { sums[c] += Double(g[c]) }
        if let residual {
          let target = residual.values + row * columns
          if residual.isFresh {
            for c in 0..<columns { target[c] = g[c] }
          } else {
            for c in 0..<columns { target[c] += g[c] }
          }
        }
        if let scale { for c in 0..<columns { g[c] *= scale[c] } }
      }
    }
    var total = [Double](repeating: 0, count: columns)
    for job in 0..<chunks { for c in 0..<columns { total[c] += partial[job * columns + c] } }
    return total
  }

  /// Adds `contribution`, times a factor for each output, to the gradient of weights. Both are `[out, depth]`, as the
  /// weights; `factors` is `[out]`; a nil gradient isn't wanted.
  ///
  /// - Returns: for each output, ⟨contribution, weight⟩, from which the gradient of the scale follows:
  ///   s is linear in the weights, so that Σ g · s = ⟨Σ g ⊗ x, weight⟩.
  public static func addWeightGradient(
    _ contribution: Floats, _ weight: Floats, factors: Floats, addingTo gradient: Floats?, outChannels: Int,
    depth: Int, _ workers: Workers
  ) -> [Double] {
    let products = workers.shared.doubles(outChannels)
    workers.run(over: outChannels, grain: 8) { outputs in
      for o in outputs {
        let (row, weights) = (contribution + o * depth, weight + o * depth)
        var lanes = SIMD8<Double>()
        var c = 0
        while c + 8 <= depth {
          let part = UnsafeRawPointer(row + c).loadUnaligned(as: SIMD8<Float>.self)
          let other = UnsafeRawPointer(weights + c).loadUnaligned(as: SIMD8<Float>.self)
          lanes += SIMD8<Double>(part) * SIMD8<Double>(other)
          c += 8
        }
        var sum = lanes.sum()
        while c < depth {
          sum += Double(row[c]) * Double(weights[c])
          c += 1
        }
        products[o] = sum
        if let target = gradient.map({ $0 + o * depth }) { for k in 0..<depth { target[k] += factors[o] * row[k] } }
      }
    }
    return (0..<outChannels).map { products[$0] }
  }
}
