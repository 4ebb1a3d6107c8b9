/// Convolutions in groups of as many outputs as inputs, block by block of their channels (`GroupedChannels`): by Winograd's
/// algorithm where the shape is one for it, else as products of windows.
struct GroupedConvolution {
  private let shape: ConvolutionShape
  private let channels: GroupedChannels
  let usesWinograd: Bool

  /// Nil for convolutions that are not of this kind.
  init?(_ shape: ConvolutionShape) {
    guard let channels = GroupedChannels(shape) else { return nil }
    (self.shape, self.channels) = (shape, channels)
    usesWinograd = WinogradConvolution.fits(shape)
  }

  func forward(
    _ x: Floats, _ weight: Floats, _ epilogue: ConvolutionEpilogue, into y: Floats, _ workers: Workers
  ) {
    if usesWinograd {
      let target = TiledMap(outputOf: shape, y)
      GroupedWinograd(
        channels: channels, source: TiledMap(inputOf: shape, x),
        tiles: TileList(all: TileGrid(over: target, padding: shape.padding)), target: target, epilogue: epilogue,
        isTurned: false, adds: false
      ).run(weight, workers)
    } else {
      GroupedWindows(shape, channels).forward(x, weight, epilogue, into: y, workers)
    }
  }

  func backwardInput(_ dy: Floats, _ weight: Floats, into dx: Floats, isFresh: Bool, _ workers: Workers) {
    guard usesWinograd else {
      return GroupedWindows(shape, channels).backwardInput(dy, weight, into: dx, isFresh: isFresh, workers)
    }
    let target = TiledMap(inputOf: shape, dx)
    GroupedWinograd(
      channels: channels, source: TiledMap(outputOf: shape, dy),
      tiles: TileList(all: TileGrid(over: target, padding: 2 - shape.padding)), target: target,
      epilogue: ConvolutionEpilogue(), isTurned: true, adds: !isFresh
    ).run(weight, workers)
  }

  func backwardWeight(_ x: Floats, _ dy: Floats, addingTo dw: Floats, _ workers: Workers) {
    guard usesWinograd else { return GroupedWindows(shape, channels).backwardWeight(x, dy, addingTo: dw, workers) }
    let gradient = TiledMap(outputOf: shape, dy)
    GroupedWinogradWeightGradient(channels: channels).add(
      TiledMap(inputOf: shape, x), gradient, TileList(all: TileGrid(over: gradient, padding: shape.padding)), to: dw,
      workers)
  }
}
