import COCO
import Foundation
import HDF5
import Primitives
import TestSupport
import Testing
import Training

/// Files of proposals and `LoadProposals`, against what mmdetection makes of them.
@Suite struct GivenProposalsGoldenTests {
  private static func cases(_ kind: String) throws -> [GoldenCase] {
    try GoldenCase.all("data3").filter { $0.string("kind") == kind }
  }

  private func boxes(_ golden: GoldenCase, _ name: String) throws -> [Box] {
    let (shape, values) = (try golden.shape(name), try golden.floats(name))
    return (0..<shape[0]).map { row in
      let first = row * shape[1]
      return Box(values[first], values[first + 1], values[first + 2], values[first + 3])
    }
  }

  /// In test mode, and in training, which leaves images out. An empty list becomes one box there only in `LoadProposals`.
  @Test(arguments: ["proposals", "proposals_protocol4", "proposals_protocol5", "proposals_numpy2"])
  func filesOfMMDetectionsTools(_ name: String) throws {
    let cases = try Self.cases("proposal_file")
    #expect(cases.count == 2)
    for golden in cases {
      let file = try AnnotationFile(reading: GoldenCase.path("coco_0_ann.json"))
      let block = try ProposalFile.read(ProposalUse(file: GoldenCase.path("\(name).pkl")), for: file)
      #expect(block.imageCount == 14)
      let ids = try golden.integers("expected/image_ids").map { Int64($0) }
      let positions = Dictionary(uniqueKeysWithValues: file.images.enumerated().map { ($1.id, $0) })
      for (number, id) in ids.enumerated() {
        let position = try #require(positions[id])
        #expect(
          block.boxes(ofImage: position) == (try boxes(golden, "expected/proposals_\(number)")), "\(golden) \(id)")
      }
    }
  }

  @Test func proposalsInThePipeline() throws {
    let cases = try Self.cases("LoadProposals")
    #expect(cases.count == 9)
    let scratch = try Scratch()
    for golden in cases {
      let path = "\(scratch.path)/\(golden.name).h5"
      let writer = try HDF5Writer()
      try writer.write(golden.floats("inputs/proposals"), shape: golden.shape("inputs/proposals"), to: "/1")
      try Data(writer.image()).write(to: URL(fileURLWithPath: path))
      let size = ImageSize(
        height: try #require(golden.integer("height")), width: try #require(golden.integer("width")))
      let train = try configuration(golden, path)
      let image = #"{"id": 1, "file_name": "a", "width": \#(size.width), "height": \#(size.height)}"#
      let text = #"{"images": [\#(image)], "annotations": [], "categories": [{"id": 1, "name": "circle"}]}"#
      let file = try AnnotationFile(path: "a.json", bytes: Array(text.utf8))
      var plain = train
      plain.classes = nil
      let dataset = try CocoDataset(
        file, configuration: plain, training: false,
        proposals: ProposalFile.read(try #require(train.proposals), for: file))
      let pixels = [UInt8](repeating: 0, count: size.height * size.width * 3)
      let sample = try Pipeline(train.pipeline).apply(
        DecodedImage(height: size.height, width: size.width, pixels: pixels), dataset.images[0],
        key: DrawKey(seed: 0, epoch: 0))
      let found = sample.proposals.flatMap { [$0.x1, $0.y1, $0.x2, $0.y2] }
      expectClose(found, try golden.floats("expected/proposals"), absolute: 1e-5, "\(golden)")
    }
  }

  /// The steps of the case between those that load and those that collect.
  private func configuration(_ golden: GoldenCase, _ path: String) throws -> DatasetConfiguration {
    let most = try #require(golden.integer("num_max_proposals"))
    let steps = try #require(golden.string("steps")).dropFirst().dropLast()
    let pipeline =
      "[{type: LoadImageFromFile}, {type: LoadProposals, num_max_proposals: \(most < 0 ? "null" : "\(most)")}, "
      + "{type: LoadAnnotations, with_bbox: true}, \(steps.isEmpty ? "" : "\(steps), ")"
      + "{type: Collect, keys: [img, proposals, gt_bboxes, gt_labels]}]"
    let test =
      "{type: LoadImageFromFile}, {type: LoadProposals}, {type: MultiScaleFlipAug, img_scale: [9, 9], "
      + "flip: false, transforms: [{type: Resize}, {type: Collect, keys: [img, proposals]}]}"
    return try ConfigurationFixture.read(
      options: [
        "model.type=FastRCNN", "model.rpn_head=null", "data.train.proposal_file=\(path)",
        "data.train.pipeline=\(pipeline)",
      ] + ["val", "test"].flatMap { ["data.\($0).proposal_file=\(path)", "data.\($0).pipeline=[\(test)]"] }
    ).run.data.train
  }
}
