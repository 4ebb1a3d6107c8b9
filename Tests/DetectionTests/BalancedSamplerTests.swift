import Detection
import Primitives
import Testing

/// `OHEMSampler`, `InstanceBalancedPosSampler`, `IoUBalancedNegSampler`: whom they take, and that it depends on nothing
/// but the key and the candidates.
@Suite struct BalancedSamplerTests {
  /// 20 positives of object 1, 4 of object 2, 2 of object 3, then 60 negatives of which 20 overlap nothing.
  private static let overlaps =
    [Float](repeating: 0.7, count: 26) + (0..<60).map { $0 < 20 ? 0 : 0.01 * Float($0 - 19) }

  private func candidates(
    identities: [Int]? = nil, losses: SamplingCandidates.ClassificationLosses? = nil
  ) -> SamplingCandidates {
    let gtInds = [Int32](repeating: 1, count: 20) + [2, 2, 2, 2, 3, 3] + [Int32](repeating: 0, count: 60)
    let boxes = (0..<86).map { Box(Float($0), 0, Float($0) + 1, 1) }
    return SamplingCandidates(
      assigned: AssignResult(
        gtInds: gtInds, maxOverlaps: Self.overlaps, labels: gtInds.map { $0 > 0 ? Int($0) + 4 : -1 }),
      boxes: boxes, identities: identities, gtBoxes: (0..<3).map { _ in Box(0, 0, 1, 1) }, gtLabels: [5, 6, 7],
      backgroundLabel: 9, losses: losses)
  }

  private func sample(
    _ candidates: SamplingCandidates, num: Int, _ positives: RandomSamplerConfiguration.Positives,
    _ negatives: RandomSamplerConfiguration.Negatives, fraction: Double = 0.5, epoch: Int = 0
  ) throws -> SamplingResult {
    var configuration = RandomSamplerConfiguration()
    (configuration.num, configuration.posFraction) = (num, fraction)
    (configuration.positives, configuration.negatives) = (positives, negatives)
    var random = KeyedRandom(seed: 3, purpose: .test, epoch: epoch)
    return try RandomSampler(configuration).sample(candidates, random: &random)
  }

  /// The hardest of each kind, by the class that they should have; equal ones by their identity.
  @Test func hardExamplesAreTheHardest() throws {
    var asked: [[Int]] = []
    let result = try sample(
      candidates { boxes, labels in
        asked.append(labels)
        return boxes.map { $0.x1.truncatingRemainder(dividingBy: 10) }
      }, num: 20, .hard, .hard)
    #expect(asked == [[Int](repeating: 5, count: 20) + [6, 6, 6, 6, 7, 7], [Int](repeating: 9, count: 60)])
    #expect(Set(result.posInds) == [9, 19, 8, 18, 7, 17, 6, 16, 5, 15])
    #expect(Set(result.negInds) == [29, 39, 49, 59, 69, 79, 28, 38, 48, 58])
  }

  /// Where all fit nobody is asked.
  @Test func fewExamplesAreTakenUnasked() throws {
    let result = try sample(
      candidates { _, _ in
        Issue.record("there is nothing to choose")
        return []
      }, num: 200, .hard, .hard)
    #expect(result.posInds.count == 26 && result.negInds.count == 60)
  }

  /// `round(12 / 3) + 1` of each object, the rest from the large one; no duplicates.
  @Test func positivesAreSharedByObjects() throws {
    let result = try sample(candidates(), num: 24, .instanceBalanced, .random)
    #expect(result.posInds.count == 12 && Set(result.posInds).count == 12)
    #expect(result.posInds.filter { $0 >= 20 } == [20, 21, 22, 23, 24, 25])
    // `round(5 / 3) + 1` of each are too many, and chance leaves some out.
    let few = try sample(candidates(), num: 10, .instanceBalanced, .random)
    #expect(few.posInds.count == 5)
    #expect(few.posInds.count { $0 < 20 } <= 3)
  }

  /// A third of each range of IoU up to the largest of all boxes, what is missing from anywhere above the floor.
  @Test func negativesAreSharedByOverlaps() throws {
    var balance = IoUBalanceConfiguration()
    // Ranges of 0.7/3: up to 0.2333 are 23 boxes, up to 0.4667 the other 17, and none beyond.
    let result = try sample(candidates(), num: 18, .random, .iouBalanced(balance), fraction: 0)
    let overlaps = result.negInds.map { Self.overlaps[$0] }
    #expect(result.negInds.count == 18 && Set(result.negInds).count == 18)
    #expect(overlaps.allSatisfy { $0 > 0 })
    #expect(overlaps.count { $0 < 0.7 / 3 } >= 6 && overlaps.count { $0 >= 0.7 / 3 } >= 6)
    // More than overlap at all: the others come from below.
    let many = try sample(candidates(), num: 50, .random, .iouBalanced(balance), fraction: 0)
    #expect(many.negInds.count { Self.overlaps[$0] > 0 } == 40 && many.negInds.count == 50)
    // A floor, and a share from below it.
    (balance.floorThr, balance.floorFraction, balance.numBins) = (0.2, 0.5, 1)
    let floored = try sample(candidates(), num: 20, .random, .iouBalanced(balance), fraction: 0)
    #expect(floored.negInds.count { Self.overlaps[$0] < 0.2 } == 10 && floored.negInds.count == 20)
  }

  /// The key decides, and a candidate's identity, not its place or who else is there.
  @Test(arguments: [
    (RandomSamplerConfiguration.Positives.instanceBalanced, RandomSamplerConfiguration.Negatives.random),
    (.random, .iouBalanced(IoUBalanceConfiguration())),
  ])
  func drawsFollowFromKeyAndIdentity(
    _ positives: RandomSamplerConfiguration.Positives, _ negatives: RandomSamplerConfiguration.Negatives
  ) throws {
    let identities = (0..<86).map { 1000 - 7 * $0 }
    let first = try sample(candidates(identities: identities), num: 24, positives, negatives)
    #expect(try sample(candidates(identities: identities), num: 24, positives, negatives) == first)
    #expect(try sample(candidates(identities: identities), num: 24, positives, negatives, epoch: 1) != first)
    // The same candidates in another order.
    let all = candidates(identities: identities)
    let order = Array((0..<86).reversed())
    let turned = SamplingCandidates(
      assigned: AssignResult(
        gtInds: order.map { all.assigned.gtInds[$0] }, maxOverlaps: order.map { Self.overlaps[$0] },
        labels: order.map { all.assigned.labels![$0] }),
      boxes: order.map { all.boxes[$0] }, identities: order.map { identities[$0] }, gtBoxes: all.gtBoxes,
      gtLabels: all.gtLabels, backgroundLabel: 9)
    let other = try sample(turned, num: 24, positives, negatives)
    #expect(Set(other.posInds.map { order[$0] }) == Set(first.posInds))
    #expect(Set(other.negInds.map { order[$0] }) == Set(first.negInds))
  }
}
