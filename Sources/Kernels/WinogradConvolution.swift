/// 3 × 3 convolutions of stride 1 in all three directions by Winograd's F(4 × 4, 3 × 3): a quarter of the
/// multiplications, as 36 matrix products, one for each of the 6 × 6 places of a transformed tile ("plane").
///
/// Tiles are taken in blocks whose planes stay in the cache: transform, 36 products, transform back.
struct WinogradConvolution {
  private static let places = 36
  /// From how many tiles on the transform of the weights is worth its time.
  private static let leastTiles = 32

  private let shape: ConvolutionShape

  /// Nil for convolutions that are not of this kind.
  init?(_ shape: ConvolutionShape) {
    guard (shape.kernelHeight, shape.kernelWidth, shape.stride) == (3, 3, 1), shape.padding <= 2,
      shape.inChannels % Vector.scalarCount == 0, shape.outChannels % Vector.scalarCount == 0,
      TileGrid(shape.batch, shape.outHeight, shape.outWidth, 0).count >= Self.leastTiles
    else { return nil }
    self.shape = shape
  }

  func forward(
    _ x: Floats, _ weight: Floats, _ epilogue: ConvolutionEpilogue, into y: Floats, _ workers: Workers
  ) {
    let source = TiledMap(x, shape.batch, shape.height, shape.width, shape.inChannels)
    let target = TiledMap(y, shape.batch, shape.outHeight, shape.outWidth, shape.outChannels)
    convolve(
      source, padding: shape.padding, weight, isTurned: false, into: target,
      epilogue, adds: false, workers)
  }

  /// The convolution of `dy` with the weights turned by 180°.
  func backwardInput(_ dy: Floats, _ weight: Floats, into dx: Floats, isFresh: Bool, _ workers: Workers) {
    let source = TiledMap(dy, shape.batch, shape.outHeight, shape.outWidth, shape.outChannels)
    let target = TiledMap(dx, shape.batch, shape.height, shape.width, shape.inChannels)
    convolve(
      source, padding: 2 - shape.padding, weight, isTurned: true, into: target,
      ConvolutionEpilogue(), adds: !isFresh, workers)
  }

  func backwardWeight(_ x: Floats, _ dy: Floats, addingTo dw: Floats, _ workers: Workers) {
    let (inChannels, outChannels) = (shape.inChannels, shape.outChannels)
    let source = TiledMap(x, shape.batch, shape.height, shape.width, inChannels)
    let gradient = TiledMap(dy, shape.batch, shape.outHeight, shape.outWidth, outChannels)
    let grid = TileGrid(shape.batch, shape.outHeight, shape.outWidth, shape.padding)
    let block = blockSize(grid)
    let products = Planes(workers.shared, [outChannels * inChannels, block * inChannels, block * outChannels])
    let (sums, inputs, gradients) = (products[0], products[1], products[2])
    for start in stride(from: 0, to: grid.count, by: block) {
      let tiles = start..<min(grid.count, start + block)
      source.transformed(grid, tiles, into: inputs, workers)
      gradient.transformedGradient(grid, tiles, into: gradients, workers)
      workers.run(jobs: Self.places) { place, _ in
        MatrixMultiply.multiply(
          m: outChannels, n: inChannels, k: tiles.count, gradients[place], transposed: true, stride: outChannels,
          inputs[place], stride: inChannels, beta: start == 0 ? 0 : 1, into: sums[place], stride: inChannels)
      }
    }
    addWeightGradient(sums, to: dw, workers)
  }

  private func convolve(
    _ source: TiledMap, padding: Int, _ weight: Floats, isTurned: Bool, into target: TiledMap,
    _ epilogue: ConvolutionEpilogue, adds: Bool, _ workers: Workers
  ) {
    let (inChannels, outChannels) = (source.channels, target.channels)
    let grid = TileGrid(shape.batch, target.height, target.width, padding)
    let block = blockSize(grid)
    let planes = Planes(
      workers.shared, [shape.inChannels * shape.outChannels, block * inChannels, block * outChannels])
    let (weights, inputs, outputs) = (planes[0], planes[1], planes[2])
    transform(weight, isTurned: isTurned, into: weights, workers)
    for start in stride(from: 0, to: grid.count, by: block) {
      let tiles = start..<min(grid.count, start + block)
      source.transformed(grid, tiles, into: inputs, workers)
      workers.run(jobs: Self.places) { place, _ in
        MatrixMultiply.multiply(
          m: tiles.count, n: outChannels, k: inChannels, inputs[place], transposed: false, stride: inChannels,
          weights[place], transposed: !isTurned, stride: shape.inChannels, into: outputs[place], stride: outChannels)
      }
      target.store(outputs, grid, tiles, epilogue, adds: adds, workers)
    }
  }

  /// As many tiles as make planes of about 16 MiB.
  private func blockSize(_ grid: TileGrid) -> Int {
    let fitting = (1 << 22) / (Self.places * (shape.inChannels + shape.outChannels)) / 16 * 16
    return min(grid.count, max(64, min(512, fitting)))
  }

  /// G w Gᵀ as `[place][out, in]`.
  private func transform(_ weight: Floats, isTurned: Bool, into planes: Plane, _ workers: Workers) {
    let channels = shape.inChannels
    workers.run(jobs: (shape.outChannels + 7) / 8) { job, scratch in
      let middle = WinogradScratch(scratch).middle
      for o in job * 8..<min(shape.outChannels, job * 8 + 8) {
        for c in stride(from: 0, to: channels, by: Vector.scalarCount) {
          let source = weight + o * 9 * channels + c
          let target = planes[0] + o * channels + c
          WeightTransform.apply(
            middle,
            load: { (source + (isTurned ? 8 - $0 : $0) * channels).vector },
            store: { (target + $0 * planes.stride).vector = $1 })
        }
      }
    }
  }

  /// Gᵀ m G.
  private func addWeightGradient(_ sums: Plane, to dw: Floats, _ workers: Workers) {
    let channels = shape.inChannels
    workers.run(jobs: (shape.outChannels + 7) / 8) { job, scratch in
      let middle = WinogradScratch(scratch).middle
      for o in job * 8..<min(shape.outChannels, job * 8 + 8) {
        for c in stride(from: 0, to: channels, by: Vector.scalarCount) {
          let source = sums[0] + o * channels + c
          let target = dw + o * 9 * channels + c
          WeightGradientTransform.apply(
            middle,
            load: { (source + $0 * sums.stride).vector }, store: { (target + $0 * channels).vector += $1 })
        }
      }
    }
  }
}

/// The 36 planes of one quantity: `stride` floats after each other.
struct Plane {
  let base: Floats
  let stride: Int

  subscript(place: Int) -> Floats { base + place * stride }
}

/// Planes of several quantities in one scratch memory.
private struct Planes {
  private let planes: [Plane]

  /// - Parameter sizes: the floats of a plane of each quantity. The distance of planes is never a power of two,
  ///   which would crowd the 36 places of a tile into one set of the cache.
  init(_ scratch: Scratch, _ sizes: [Int]) {
    let strides = sizes.map { ($0 + 31) / 32 * 32 + 16 }
    var base = scratch.floats(strides.reduce(0, +) * 36)
    planes = strides.map { stride in
      defer { base += 36 * stride }
      return Plane(base: base, stride: stride)
    }
  }

  subscript(index: Int) -> Plane { planes[index] }
}
