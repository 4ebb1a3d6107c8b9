/// 3 × 3 convolutions of stride 1 in all three directions by Winograd's F(4 × 4, 3 × 3): a quarter of the
/// multiplications, as 36 matrix products, one for each of the 6 × 6 places of a transformed tile ("plane").
struct WinogradConvolution {
  /// From how many tiles of an image on the transform of the weights is worth its time. (Of all images together would be
  /// faster for many small ones, but then an image's bits would depend on the batch.)
  private static let leastTiles = 8
  /// How many outputs a tile must have on average: of 16, so many that 36 products are fewer than 9 for each.
  private static let leastOutputs = 5

  private let shape: ConvolutionShape

  /// Nil for convolutions that are not of this kind.
  init?(_ shape: ConvolutionShape) {
    guard shape.groups == 1, Self.fits(shape) else { return nil }
    self.shape = shape
  }

  /// Whether the sizes are right, whatever the groups.
  static func fits(_ shape: ConvolutionShape) -> Bool {
    guard (shape.kernelHeight, shape.kernelWidth, shape.stride, shape.dilation) == (3, 3, 1, 1), shape.padding <= 2,
      shape.inChannels % Vector.scalarCount == 0, shape.outChannels % Vector.scalarCount == 0
    else { return false }
    let tiles = TileGrid(batch: 1, outHeight: shape.outHeight, outWidth: shape.outWidth, padding: 0).count
    return tiles >= leastTiles && shape.outHeight * shape.outWidth >= tiles * leastOutputs
  }

  func forward(
    _ x: Floats, _ weight: Floats, _ epilogue: ConvolutionEpilogue, into y: Floats, _ workers: Workers
  ) {
    let target = TiledMap(outputOf: shape, y)
    let grid = TileGrid(over: target, padding: shape.padding)
    WinogradProduct(
      source: TiledMap(inputOf: shape, x), tiles: TileList(all: grid), weights: weights(weight, isTurned: false),
      target: target, epilogue: epilogue, adds: false
    ).run(workers)
  }

  /// The convolution of `dy` with the weights turned by 180°. Where all of dy that a tile sees is zero, so is the tile:
  /// the gradients of samples have many such tiles.
  func backwardInput(_ dy: Floats, _ weight: Floats, into dx: Floats, isFresh: Bool, _ workers: Workers) {
    let (source, target) = (TiledMap(outputOf: shape, dy), TiledMap(inputOf: shape, dx))
    let grid = TileGrid(over: target, padding: 2 - shape.padding)
    let tiles = TileList(grid, workers) { source.isZero(grid.inputCorner($0), side: InputTransform.size) }
    if isFresh { target.clear(tiles.others, grid, workers) }
    WinogradProduct(
      source: source, tiles: tiles, weights: weights(weight, isTurned: true), target: target,
      epilogue: ConvolutionEpilogue(), adds: !isFresh
    ).run(workers)
  }

  /// A sum over tiles; those whose dy is zero are left out.
  func backwardWeight(_ x: Floats, _ dy: Floats, addingTo dw: Floats, _ workers: Workers) {
    let (source, gradient) = (TiledMap(inputOf: shape, x), TiledMap(outputOf: shape, dy))
    let grid = TileGrid(over: gradient, padding: shape.padding)
    let tiles = TileList(grid, workers) { gradient.isZero(grid.outputCorner($0), side: OutputTransform.outSize) }
    WinogradWeightGradient(shape).add(source, gradient, tiles, to: dw, workers)
  }

  private func weights(_ values: Floats, isTurned: Bool) -> WinogradWeights {
    WinogradWeights(
      values: values, inChannels: shape.inChannels, outChannels: shape.outChannels, isTurned: isTurned)
  }
}
