/// Iterations that share a step of the optimiser (`cumulative_iters`): their gradients are summed, and their mean is applied
/// after the last one, as by mmcv's `GradientCumulativeOptimizerHook`.
public struct GradientWindow: Equatable, Sendable {
  /// The number of its iterations.
  public let length: Int
  /// Of an iteration in it, from 0 on.
  public let place: Int

  /// An iteration with a step of its own.
  public static let single = GradientWindow(of: 0, every: 1, until: .max)

  /// Windows begin at the multiples of `every`; the last one of a run ends with it.
  /// - Parameters:
  ///   - iteration: 0-based, over all epochs.
  ///   - every: how many iterations share a step.
  ///   - end: the iterations of the whole run.
  public init(of iteration: Int, every: Int, until end: Int) {
    let start = iteration / every * every
    place = iteration - start
    length = max(place + 1, min(every, end - start))
  }

  public var isFirst: Bool { place == 0 }
  public var isLast: Bool { place == length - 1 }
}

extension Position {
  /// The position so many iterations before, from which the gradients of an open window are gathered again.
  func before(_ iterations: Int, batch: Int, imagesPerEpoch: Int) -> Position {
    var start = self
    for _ in 0..<iterations {
      if start.images == 0 { (start.epoch, start.images) = (start.epoch - 1, imagesPerEpoch) }
      start.images -= batch
      start.iteration -= 1
    }
    return start
  }
}
