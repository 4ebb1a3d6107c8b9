/// What a convolution does to its sums s on their way to memory, and the way back:
///
///     y = scale · s + shift + residual, then ReLU        g = dy where y > 0 (all of dy without ReLU)
///     dshift = Σ g        dresidual = g        ds = scale · g
///
/// Without `scale`, `shift` and `residual` these are 1, 0 and 0. A bias is a shift alone; a norm with fixed statistics is
/// both, scale = γ/σ and shift = β − μ γ/σ.
public struct ConvolutionEpilogue {
  /// `[out]`.
  public var scale: Floats?
  /// `[out]`.
  public var shift: Floats?
  /// As y.
  public var residual: Floats?
  public var relu: Bool

  public init(scale: Floats? = nil, shift: Floats? = nil, residual: Floats? = nil, relu: Bool = false) {
    (self.scale, self.shift, self.residual, self.relu) = (scale, shift, residual, relu)
  }

  private var isIdentity: Bool { scale == nil && shift == nil && residual == nil && !relu }

  /// Finishes `rows` × `columns` sums in place: those of y from row `firstRow` and column `firstColumn` on, whose rows
  /// are `stride` floats apart, as the residual's are.
  func apply(to y: Floats, firstRow: Int, rows: Int, firstColumn: Int, columns: Int, stride: Int) {
    if isIdentity { return }
    for r in firstRow..<firstRow + rows {
      let offset = r * stride + firstColumn
      let row = y + offset
      if let scale = scale.map({ $0 + firstColumn }) { for c in 0..<columns { row[c] *= scale[c] } }
      if let shift = shift.map({ $0 + firstColumn }) { for c in 0..<columns { row[c] += shift[c] } }
      if let residual = residual.map({ $0 + offset }) { for c in 0..<columns { row[c] += residual[c] } }
      if relu { for c in 0..<columns { row[c] = row[c] < 0 ? 0 : row[c] } }
    }
  }

  /// Sixteen neighbouring channels of one pixel, from `channel` on; `offset` is their place in y.
  @inline(__always)
  func finish(_ sums: Vector, channel: Int, offset: Int) -> Vector {
    var value = sums
    if let scale { value *= (scale + channel).vector }
    if let shift { value += (shift + channel).vector }
    if let residual { value += (residual + offset).vector }
    if relu { value.replace(with: 0, where: value .< 0) }
    return value
  }

  /// Turns `dy`, `[rows, columns]`, into ds in place, and hands g on to the gradient of the residual: writes it when
  /// fresh, else adds.
  ///
  /// - Parameter y: the output, where ReLU made it.
  /// - Returns: Σ g of each column.
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

  /// Adds `contribution`, times a factor for each output, to the gradient of weights, `[out, depth]`.
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
