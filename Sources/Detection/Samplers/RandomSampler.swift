import Primitives

/// `sampler`, type `RandomSampler`, and those of mmdetection's that differ from it in whom they take: `OHEMSampler`,
/// `InstanceBalancedPosSampler`, `IoUBalancedNegSampler`, and `CombinedSampler` of two of them.
public struct RandomSamplerConfiguration: Equatable, Sendable {
  public enum Positives: Equatable, Sendable {
    case random
    /// As many of each object.
    case instanceBalanced
    /// Those of the highest loss.
    case hard
  }
  public enum Negatives: Equatable, Sendable {
    case random
    /// As many of each of some ranges of IoU.
    case iouBalanced(IoUBalanceConfiguration)
    /// Those of the highest loss.
    case hard
  }
  public var num = 256
  /// A double, as in Python: the number of positives is the product with `num`, cut off.
  public var posFraction = 0.5
  /// At most this many negatives for each positive; below 0 no bound.
  public var negPosUB = -1.0
  public var addGtAsProposals = false
  public var positives = Positives.random
  public var negatives = Negatives.random

  public init() {}

  /// Whether it needs what only a box head can tell.
  public var asksForLosses: Bool { positives == .hard || negatives == .hard }
}

/// Takes a subset of the assigned boxes; mmdetection's `RandomSampler` and its relatives.
///
/// What is drawn depends on the generator's key and the candidates alone. Each candidate gets a number that follows
/// from the key and its identity, and the smallest are taken: where another proposal more or less survives because of
/// a rounding, that one changes and no other.
public struct RandomSampler: Sampler {
  private let configuration: RandomSamplerConfiguration

  public init(_ configuration: RandomSamplerConfiguration) { self.configuration = configuration }

  /// At most `num` · `pos_fraction` positives, and negatives to fill up to `num`, but no more than `neg_pos_ub` for
  /// each positive (for one, if there is none).
  ///
  /// With `add_gt_as_proposals` the ground truths come first: box i then has the index i + gtBoxes.count.
  public func sample(_ candidates: SamplingCandidates, random: inout KeyedRandom) throws -> SamplingResult {
    let addsGroundTruths = configuration.addGtAsProposals && !candidates.gtBoxes.isEmpty
    let candidates = addsGroundTruths ? candidates.addingGroundTruths() : candidates
    let assigned = candidates.assigned
    let (forPositives, forNegatives) = (
      RandomChoice(&random, candidates.identities), RandomChoice(&random, candidates.identities)
    )
    let expectedPositives = Int(Double(configuration.num) * configuration.posFraction)
    var posInds = assigned.positives
    if posInds.count > expectedPositives {
      posInds = try choose(expectedPositives, ofPositives: posInds, candidates, forPositives)
    }
    let expectedNegatives = expectedNegatives(positives: posInds.count)
    var negInds = assigned.negatives
    if negInds.count > expectedNegatives {
      negInds = try choose(expectedNegatives, ofNegatives: negInds, candidates, forNegatives)
    }
    return SamplingResult(
      posInds: posInds.sorted(), negInds: negInds.sorted(), boxes: candidates.boxes, gtBoxes: candidates.gtBoxes,
      numAddedGroundTruths: addsGroundTruths ? candidates.gtBoxes.count : 0, assigned: assigned)
  }

  private func expectedNegatives(positives: Int) -> Int {
    let wanted = configuration.num - positives
    guard configuration.negPosUB >= 0 else { return wanted }
    let bound = configuration.negPosUB * Double(max(1, positives))
    return bound < Double(wanted) ? Int(bound) : wanted
  }

  private func choose(
    _ count: Int, ofPositives positives: [Int], _ candidates: SamplingCandidates, _ random: RandomChoice
  ) throws -> [Int] {
    switch configuration.positives {
    case .random: random(count, of: positives)
    case .instanceBalanced:
      InstanceBalance.choose(count, of: positives, gtInds: candidates.assigned.gtInds, random)
    case .hard: try HardExamples.choose(count, of: positives, candidates)
    }
  }

  private func choose(
    _ count: Int, ofNegatives negatives: [Int], _ candidates: SamplingCandidates, _ random: RandomChoice
  ) throws -> [Int] {
    switch configuration.negatives {
    case .random: random(count, of: negatives)
    case .iouBalanced(let balance):
      IoUBalance(balance, maxOverlaps: candidates.assigned.maxOverlaps).choose(count, of: negatives, random)
    case .hard: try HardExamples.choose(count, of: negatives, candidates)
    }
  }
}

/// Draws among the candidates of an image by one key.
struct RandomChoice {
  private let key: UInt64
  private let identities: [Int]

  init(_ random: inout KeyedRandom, _ identities: [Int]) {
    (key, self.identities) = (random.next(), identities)
  }

  /// A random subset: the candidates with the smallest numbers.
  /// - Parameter draw: another number, another draw.
  func callAsFunction(_ count: Int, of candidates: [Int], draw: Int = 0) -> [Int] {
    guard candidates.count > count else { return candidates }
    let key = draw == 0 ? key : KeyedRandom.mix(key &+ UInt64(draw))
    let numbers = candidates.map { KeyedRandom.mix(key ^ UInt64(bitPattern: Int64(identities[$0]))) }
    // Only those below a bound that a little more than `count` are expected to fall under need sorting.
    var share = Double(count + 16) / Double(candidates.count)
    while true {
      let bound = share < 1 ? UInt64(share * 0x1p64) : .max
      let low = candidates.indices.filter { numbers[$0] <= bound }
      if low.count >= count {
        return low.sorted { numbers[$0] < numbers[$1] }.prefix(count).map { candidates[$0] }
      }
      share *= 1.5
    }
  }
}
