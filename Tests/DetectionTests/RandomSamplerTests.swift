import Detection
import Primitives
import TestSupport
import Testing

@Suite struct RandomSamplerTests {
  private func sample(_ golden: GoldenCase, epoch: Int = 0) throws -> SamplingResult {
    let labels = golden.flag("has_gt_labels") == true ? try golden.integers("inputs/gt_labels") : nil
    var random = KeyedRandom(seed: 7, purpose: .test, epoch: epoch)
    let candidates = SamplingCandidates(
      assigned: try assigned(golden), boxes: try golden.boxes("inputs/bboxes"),
      gtBoxes: try golden.boxes("inputs/gt_bboxes"), gtLabels: labels)
    return try golden.settings().sampler.make().sample(candidates, random: &random)
  }

  private func assigned(_ golden: GoldenCase) throws -> AssignResult {
    AssignResult(
      gtInds: try golden.integers("inputs/assign_gt_inds").map(Int32.init),
      maxOverlaps: try golden.floats("inputs/assign_max_overlaps"),
      labels: golden.has("inputs/assign_labels") ? try golden.integers("inputs/assign_labels") : nil)
  }

  @Test func takesEverythingAsMMDetection() throws {
    let cases = try GoldenCase.all("sampler").filter { $0.flag("deterministic") == true }
    #expect(cases.count == 15)
    for golden in cases {
      let result = try sample(golden)
      #expect(try result.posInds == golden.integers("expected/pos_inds"), "\(golden)")
      #expect(try result.negInds == golden.integers("expected/neg_inds"), "\(golden)")
      #expect(try result.boxes == golden.boxes("expected/bboxes"), "\(golden)")
      #expect(try Array(result.posBoxes) == golden.boxes("expected/pos_bboxes"), "\(golden)")
      #expect(try Array(result.negBoxes) == golden.boxes("expected/neg_bboxes"), "\(golden)")
      #expect(try result.posIsGt == golden.flags("expected/pos_is_gt"), "\(golden)")
      #expect(try result.posAssignedGtInds == golden.integers("expected/pos_assigned_gt_inds"), "\(golden)")
      #expect(try result.posGtBoxes == golden.boxes("expected/pos_gt_bboxes"), "\(golden)")
      let isNone = golden.flag("pos_gt_labels_is_none") == true
      #expect(try result.posGtLabels == (isNone ? nil : golden.integers("expected/pos_gt_labels")), "\(golden)")
    }
  }

  @Test func takesAsManyOfTheSameCandidatesAsMMDetection() throws {
    let cases = try GoldenCase.all("sampler").filter { $0.flag("deterministic") == false }
    #expect(cases.count == 6)
    for golden in cases {
      let (result, again, other) = (try sample(golden), try sample(golden), try sample(golden, epoch: 1))
      for (indices, candidates, count) in [
        (result.posInds, "expected/pos_candidates", "expected/num_pos"),
        (result.negInds, "expected/neg_candidates", "expected/num_neg"),
      ] {
        #expect(try [indices.count] == golden.integers(count), "\(golden)")
        #expect(try Set(indices).isSubset(of: golden.integers(candidates)), "\(golden)")
        #expect(indices == Set(indices).sorted(), "\(golden): not ascending")
      }
      #expect(result == again, "\(golden): not a function of the key")
      #expect(result != other, "\(golden): another key gives the same sample")
    }
  }

  @Test func groundTruthsComeFirst() throws {
    let cases = try GoldenCase.all("sampler").filter { $0.flag("add_gt_as_proposals") == true }
    #expect(!cases.isEmpty)
    for golden in cases {
      let labels = try golden.integers("inputs/gt_labels")
      let after = try assigned(golden).addingGroundTruths(labels: labels)
      #expect(try after.gtInds.map(Int.init) == golden.integers("expected/assign_gt_inds_after"), "\(golden)")
      #expect(try after.maxOverlaps == golden.floats("expected/assign_max_overlaps_after"), "\(golden)")
      #expect(try after.labels == golden.integers("expected/assign_labels_after"), "\(golden)")
    }
  }

  @Test func eachCandidateIsTakenEquallyOften() throws {
    var configuration = RandomSamplerConfiguration()
    (configuration.num, configuration.posFraction) = (3, 0)
    let sampler = RandomSampler(configuration)
    let boxes = [Box](repeating: Box(0, 0, 1, 1), count: 10)
    let assigned = AssignResult(gtInds: boxes.map { _ in 0 }, maxOverlaps: boxes.map { _ in 0 }, labels: nil)
    var counts = [Int](repeating: 0, count: 10)
    for epoch in 0..<2000 {
      var random = KeyedRandom(seed: 3, purpose: .test, epoch: epoch)
      let candidates = SamplingCandidates(assigned: assigned, boxes: boxes, gtBoxes: [])
      for i in try sampler.sample(candidates, random: &random).negInds { counts[i] += 1 }
    }
    // 600 expected, standard deviation 20.
    #expect(counts.allSatisfy { (500...700).contains($0) }, "\(counts)")
  }

  /// Python cuts the double product off: 100 · 0.29 is 28.999…; in floats it would be 29.
  @Test(arguments: [(0.29, 28), (0.25, 25), (0.57, 56), (1.0, 100)])
  func thePositivesAreAPythonProduct(_ fraction: Double, _ expected: Int) throws {
    var configuration = RandomSamplerConfiguration()
    (configuration.num, configuration.posFraction) = (100, fraction)
    let boxes = [Box](repeating: Box(0, 0, 1, 1), count: 300)
    let assigned = AssignResult(
      gtInds: boxes.indices.map { Int32($0 % 2) }, maxOverlaps: boxes.map { _ in 0 }, labels: nil)
    var random = KeyedRandom(seed: 3, purpose: .test)
    let result = try RandomSampler(configuration).sample(
      SamplingCandidates(assigned: assigned, boxes: boxes, gtBoxes: [Box(0, 0, 1, 1)]), random: &random)
    #expect(result.posInds.count == expected && result.negInds.count == 100 - expected)
  }
}
