import COCO
import Primitives
import Testing

/// `proposal_fast`, against mmdetection's rule worked out by hand.
@Suite struct ProposalRecallTests {
  private func box(_ x: Float, _ width: Float = 10) -> Box { Box(x, 0, x + width, 10) }

  private func averages(
    _ objects: [[Box]], _ proposals: [[Box]], counts: [Int] = [1, 2, 3], overlaps: [Double] = [0.5, 0.75]
  ) -> [Double] {
    ProposalRecall(groundTruths: objects, counts: counts, overlaps: overlaps).averages(proposals).map(\.value)
  }

  @Test func countsCutTheListsOfEachImage() {
    let recall = ProposalRecall(groundTruths: [[box(0), box(50)], []], counts: [1, 2, 3], overlaps: [0.5])
    let found = recall.averages([[box(0), box(100), box(50)], [box(0)]])
    #expect(found.map(\.name) == ["AR@1", "AR@2", "AR@3"] && found.map(\.value) == [0.5, 0.5, 1])
  }

  @Test func thresholdsAreAveraged() {
    // 10 × 10 and 8 × 10 overlap by 0.8, 10 × 10 and 6 × 10 by 0.6.
    #expect(averages([[box(0)]], [[box(0, 8)]], counts: [1]) == [1])
    #expect(averages([[box(0)]], [[box(0, 6)]], counts: [1]) == [0.5])
    #expect(averages([[box(0)]], [[box(0, 4)]], counts: [1]) == [0])
  }

  /// The largest overlap of all is taken first; its proposal is then gone for the others.
  @Test func aProposalStandsForOneObject() {
    let objects = [box(0), box(2)]
    #expect(averages([objects], [[box(1)]], counts: [1], overlaps: [0.5]) == [0.5])
    // The second object takes the first proposal (1.0) and leaves the other one (0.43) to the first object.
    #expect(averages([objects], [[box(2), box(-4)]], counts: [2], overlaps: [0.4]) == [1])
    #expect(averages([objects], [[box(2), box(-4)]], counts: [2], overlaps: [0.5]) == [0.5])
  }

  @Test func anOverlapOfExactlyAThresholdCounts() {
    #expect(averages([[box(0)]], [[box(0, 5)]], counts: [1], overlaps: [0.5]) == [1])
    // In single precision, as NumPy compares: 0.8 is no binary fraction.
    #expect(averages([[box(0)]], [[box(0, 8)]], counts: [1], overlaps: [0.8]) == [1])
  }

  @Test func imagesWithoutProposalsOrObjects() {
    #expect(averages([[box(0)], [box(0)]], [[], [box(0)]], counts: [1]) == [0.5])
    #expect(averages([[], []], [[box(0)], []], counts: [1]) == [-1])
  }
}
