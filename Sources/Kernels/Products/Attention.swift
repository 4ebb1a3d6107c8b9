import Foundation

/// `y = softmax(q kᵀ) v` for each image, with q and k `[batch, positions, width]`, v and y `[batch, positions,
/// valueWidth]`. The positions × positions weights are made block by block and never kept: the backward pass makes them
/// again (Dao et al., "FlashAttention", algorithms 1 and 4).
public enum Attention {
  public struct Shape: Sendable {
    public let batch: Int
    public let positions: Int
    public let width: Int
    public let valueWidth: Int

    public init(batch: Int, positions: Int, width: Int, valueWidth: Int) {
      (self.batch, self.positions, self.width, self.valueWidth) = (batch, positions, width, valueWidth)
    }

    fileprivate var blocksAnImage: Int { (positions + rowsABlock - 1) / rowsABlock }

    /// The image of a block, the number of its first row over all images, and its rows.
    fileprivate func block(_ job: Int) -> (image: Int, first: Int, rows: Int) {
      let (image, block) = job.quotientAndRemainder(dividingBy: blocksAnImage)
      let row = block * rowsABlock
      return (image, image * positions + row, min(rowsABlock, positions - row))
    }
  }
  /// The forward pass's inputs.
  public struct Inputs {
    public let queries: Floats
    public let keys: Floats
    public let values: Floats

    public init(queries: Floats, keys: Floats, values: Floats) {
      (self.queries, self.keys, self.values) = (queries, keys, values)
    }
  }

  private static let rowsABlock = 64

  /// Writes `y`, and for each query the largest product and 1 / Σ exp(product - largest), `[2, batch · positions]`.
  public static func forward(_ x: Inputs, into y: Floats, normalizers: Floats, _ shape: Shape, _ workers: Workers) {
    let positions = shape.positions
    let (largest, inverse) = (normalizers, normalizers + shape.batch * positions)
    workers.run(jobs: shape.batch * shape.blocksAnImage) { job, scratch in
      let (image, first, rows) = shape.block(job)
      let (start, weights) = (image * positions, scratch.floats(rowsABlock * positions))
      products(x.queries + first * shape.width, rows, x.keys + start * shape.width, positions, shape.width, weights)
      for row in 0..<rows {
        let line = weights + row * positions
        var top = line[0]
        for j in 1..<max(1, positions) { top = max(top, line[j]) }
        var sum: Float = 0
        for j in 0..<positions {
          line[j] = exp(line[j] - top)
          sum += line[j]
        }
        for j in 0..<positions { line[j] /= sum }
        (largest[first + row], inverse[first + row]) = (top, 1 / sum)
      }
      MatrixMultiply.multiply(
        m: rows, n: shape.valueWidth, k: positions, weights, stride: positions, x.values + start * shape.valueWidth,
        stride: shape.valueWidth, into: y + first * shape.valueWidth, stride: shape.valueWidth)
    }
  }

  /// Adds to the gradients of the inputs. `slopes` is room for a number for each query.
  public static func backward(
    _ dy: Floats, _ x: Inputs, normalizers: Floats, slopes: Floats, addingTo dx: Inputs, _ shape: Shape,
    _ workers: Workers
  ) {
    byQueries(dy, x, normalizers, slopes, dx.queries, shape, workers)
    byKeys(dy, x, normalizers, slopes, dx, shape, workers)
  }

  /// With p the weights and g = dy vᵀ: `dq = p (g - Σ p g) k`; writes the sums into `slopes`.
  private static func byQueries(
    _ dy: Floats, _ x: Inputs, _ normalizers: Floats, _ slopes: Floats, _ dq: Floats, _ shape: Shape,
    _ workers: Workers
  ) {
    let (positions, width) = (shape.positions, shape.width)
    let (largest, inverse) = (normalizers, normalizers + shape.batch * positions)
    workers.run(jobs: shape.batch * shape.blocksAnImage) { job, scratch in
      let (image, first, rows) = shape.block(job)
      let start = image * positions
      let weights = scratch.floats(2 * rowsABlock * positions)
      let gradients = weights + rowsABlock * positions
      products(x.queries + first * width, rows, x.keys + start * width, positions, width, weights)
      products(
        dy + first * shape.valueWidth, rows, x.values + start * shape.valueWidth, positions, shape.valueWidth, gradients
      )
      for row in 0..<rows {
        let (p, g) = (weights + row * positions, gradients + row * positions)
        let (top, scale) = (largest[first + row], inverse[first + row])
        var sum: Float = 0
        for j in 0..<positions {
          p[j] = exp(p[j] - top) * scale
          sum += p[j] * g[j]
        }
        for j in 0..<positions { p[j] *= g[j] - sum }
        slopes[first + row] = sum
      }
      MatrixMultiply.multiply(
        m: rows, n: width, k: positions, weights, stride: positions, x.keys + start * width, stride: width, beta: 1,
        into: dq + first * width, stride: width)
    }
  }

  /// `dv = pᵀ dy` and `dk = (p (g - Σ p g))ᵀ q`, a block of keys a job, so that each job writes rows of its own.
  private static func byKeys(
    _ dy: Floats, _ x: Inputs, _ normalizers: Floats, _ slopes: Floats, _ dx: Inputs, _ shape: Shape,
    _ workers: Workers
  ) {
    let (positions, width, valueWidth) = (shape.positions, shape.width, shape.valueWidth)
    workers.run(jobs: shape.batch * shape.blocksAnImage) { job, scratch in
      let (image, first, rows) = shape.block(job)
      let start = image * positions
      let largest = normalizers + start
      let inverse = normalizers + shape.batch * positions + start
      let weights = scratch.floats(2 * rowsABlock * positions)
      let gradients = weights + rowsABlock * positions
      products(x.keys + first * width, rows, x.queries + start * width, positions, width, weights)
      products(x.values + first * valueWidth, rows, dy + start * valueWidth, positions, valueWidth, gradients)
      for row in 0..<rows {
        let (p, g) = (weights + row * positions, gradients + row * positions)
        for i in 0..<positions {
          p[i] = exp(p[i] - largest[i]) * inverse[i]
          g[i] = p[i] * (g[i] - slopes[start + i])
        }
      }
      MatrixMultiply.multiply(
        m: rows, n: valueWidth, k: positions, weights, stride: positions, dy + start * valueWidth, stride: valueWidth,
        beta: 1, into: dx.values + first * valueWidth, stride: valueWidth)
      MatrixMultiply.multiply(
        m: rows, n: width, k: positions, gradients, stride: positions, x.queries + start * width, stride: width,
        beta: 1, into: dx.keys + first * width, stride: width)
    }
  }

  /// Writes `a bᵀ` for rows of `a` and of `b`, `[rowsOfA, rowsOfB]`.
  private static func products(
    _ a: Floats, _ rowsOfA: Int, _ b: Floats, _ rowsOfB: Int, _ width: Int, _ c: Floats
  ) {
    MatrixMultiply.multiply(
      m: rowsOfA, n: rowsOfB, k: width, a, transposed: false, stride: width, b, transposed: true, stride: width,
      into: c, stride: rowsOfB)
  }
}
