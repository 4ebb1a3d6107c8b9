/// `sampler`, type `IoUBalancedNegSampler`, as far as it differs from `RandomSampler`.
public struct IoUBalanceConfiguration: Equatable, Sendable {
  /// Below it nothing is balanced. -1 is as 0: mmdetection's sampler sets it to 0 when it is first used.
  public var floorThr = -1.0
  /// The share of negatives that come from below the floor.
  public var floorFraction = 0.0
  public var numBins = 3

  public init() {}
}

/// As many negatives of each range of IoU (Pang et al., "Libra R-CNN", section 3.1): mmdetection's
/// `IoUBalancedNegSampler`.
struct IoUBalance {
  private let configuration: IoUBalanceConfiguration
  private let maxOverlaps: [Float]
  private let floor: Double

  /// - Parameter maxOverlaps: of all boxes, the positives included: the largest is the upper end of the ranges.
  init(_ configuration: IoUBalanceConfiguration, maxOverlaps: [Float]) {
    (self.configuration, self.maxOverlaps) = (configuration, maxOverlaps)
    floor = max(0, configuration.floorThr)
  }

  /// - Parameter negatives: more than `count`.
  func choose(_ count: Int, of negatives: [Int], _ random: RandomChoice) -> [Int] {
    let isBalanced = { (i: Int) in floor > 0 ? maxOverlaps[i] >= Float(floor) : maxOverlaps[i] > 0 }
    let (above, below) = (
      negatives.filter(isBalanced), negatives.filter { !isBalanced($0) && maxOverlaps[$0] >= 0 }
    )
    let expected = Int(Double(count) * (1 - configuration.floorFraction))
    let balanced = above.count > expected ? chooseEvenly(expected, of: above, random) : above
    let chosen = balanced + random(count - balanced.count, of: below, draw: 1)
    return filled(chosen, upTo: count, from: negatives, random, draw: 2)
  }

  /// `count / num_bins` of each range between the floor and the largest IoU, then any.
  private func chooseEvenly(_ count: Int, of candidates: [Int], _ random: RandomChoice) -> [Int] {
    guard configuration.numBins > 1 else { return random(count, of: candidates, draw: 3) }
    let width = (Double(maxOverlaps.max() ?? 0) - floor) / Double(configuration.numBins)
    let share = count / configuration.numBins
    let chosen = (0..<configuration.numBins).flatMap { bin in
      let (start, end) = (Float(floor + Double(bin) * width), Float(floor + Double(bin + 1) * width))
      return random(share, of: candidates.filter { maxOverlaps[$0] >= start && maxOverlaps[$0] < end }, draw: 4)
    }
    return filled(chosen, upTo: count, from: candidates, random, draw: 5)
  }

  private func filled(
    _ chosen: [Int], upTo count: Int, from candidates: [Int], _ random: RandomChoice, draw: Int
  ) -> [Int] {
    guard chosen.count < count else { return chosen }
    let taken = Set(chosen)
    return chosen + random(count - chosen.count, of: candidates.filter { !taken.contains($0) }, draw: draw)
  }
}
