import Foundation
import Testing

extension ProgramTests {
  /// `anchors` says how well the anchors fit, and what would fit better.
  @Suite("Anchors") struct Anchors {
    private struct Row: Decodable, Equatable {
      let name: String
      let boxes: Int
      let recall: Double
      let recall_50: Double
      let mean_iou: Double
    }

    private struct Document: Decodable {
      struct Part: Decodable {
        let scales: [Double]
        let ratios: [Double]
        let rows: [Row]
        let boxes_without_anchor: Int

        func row(_ name: String) -> Row? { rows.first { $0.name.hasPrefix(name) } }
      }
      let images: Int
      let pos_iou_thr: Double
      let img_scales: [[Int]]
      let anchors: Part
      let proposal: Part
      let yaml: String
    }

    /// The first two boxes are anchors themselves, the third has one of 0.64 of its area inside.
    private let run: TinyRun

    init() throws {
      let boxes = [
        BoxedImage.Box(x: 24, y: 24, side: 16), BoxedImage.Box(x: 16, y: 16, side: 32),
        BoxedImage.Box(x: 20, y: 20, side: 20),
      ]
      run = try TinyRun(images: [BoxedImage(boxes: [boxes[0], boxes[1]]), BoxedImage(boxes: [boxes[2]])])
    }

    private func document(_ arguments: [String]) throws -> Document {
      let outcome = try run.program.succeed(["anchors"] + arguments + ["--json"])
      return try JSONDecoder().decode(Document.self, from: Data(outcome.output.utf8))
    }

    @Test("Boxes are counted by size and level") func fit() throws {
      let found = try document(["tiny.yaml"])
      #expect(found.images == 2 && found.pos_iou_thr == 0.7 && found.img_scales == [[128, 96]])
      let all = try #require(found.anchors.row("all"))
      #expect(all.boxes == 3 && abs(all.recall - 2.0 / 3) < 1e-9 && all.recall_50 == 1)
      #expect(abs(all.mean_iou - 0.88) < 1e-6)
      let counts = found.anchors.rows.filter { $0.boxes > 0 }.map { "\($0.name): \($0.boxes)" }
      #expect(
        counts == [
          "all: 3", "small, below 32²: 2", "medium, below 96²: 1", "16 to 32 pixels: 2", "32 to 64 pixels: 1",
          "best on stride 4: 2", "best on stride 8: 1",
        ])
      let medium = try #require(found.anchors.row("medium"))
      #expect(medium.recall == 1 && medium.mean_iou == 1 && found.anchors.boxes_without_anchor == 0)
      #expect(try document(["tiny.yaml", "--data", "val"]).anchors.rows == found.anchors.rows)
    }

    @Test("Each scale of Resize counts, as the pipeline resizes") func scales() throws {
      let options = ["--cfg-options", "data.train.pipeline.2.img_scale=[[128, 96], [256, 192]]"]
      let several = try document(["tiny.yaml"] + options + ["data.train.pipeline.2.multiscale_mode=value"])
      #expect(several.img_scales == [[128, 96], [256, 192]])
      // Twice as large they fit the next level's anchors as well.
      let all = try #require(several.anchors.row("all"))
      #expect(all.boxes == 6 && abs(all.mean_iou - 0.88) < 1e-6)
      #expect(several.anchors.row("best on stride 16")?.boxes == 1 && several.anchors.row("small")?.boxes == 4)
      let range = try document(["tiny.yaml"] + options + ["data.train.pipeline.2.multiscale_mode=range"])
      #expect(range.img_scales == [[128, 96], [192, 144], [256, 192]])
    }

    @Test("The proposed lines fit better, and give what is said of them") func proposal() throws {
      // Nothing is better than the anchors that the boxes were made of, so that they stay.
      let fitting = try document(["tiny.yaml"])
      #expect(fitting.proposal.scales == [4] && fitting.proposal.ratios == [0.5, 1, 2])
      let bad = ["tiny.yaml", "--cfg-options", "model.rpn_head.anchor_generator.scales=[5.7]"]
      let found = try document(bad)
      let proposed = found.proposal
      #expect(proposed.scales.count == 1 && proposed.ratios.count == 3)
      #expect(try #require(proposed.row("all")).mean_iou > #require(found.anchors.row("all")).mean_iou + 0.05)
      try run.folder.write("_base_: tiny.yaml\n\(found.yaml)\n", to: "new.yaml")
      let again = try document(["new.yaml"])
      #expect(again.anchors.rows == proposed.rows)
      #expect(again.anchors.scales == proposed.scales && again.anchors.ratios == proposed.ratios)
      // It is the same each time, and richer where that is asked for.
      #expect(try document(bad).yaml == found.yaml)
      let richer = try document(["tiny.yaml", "--num-scales", "2", "--num-ratios", "1"]).proposal
      #expect(richer.scales.count == 2 && richer.ratios.count == 1)
      // The third box lies between the cells of its level: with an anchor of its size, too, it doesn't reach 0.7.
      #expect(try #require(richer.row("all")).mean_iou > 0.88)
      let octaves = [
        "--cfg-options", "model.rpn_head.anchor_generator.scales=null",
        "model.rpn_head.anchor_generator.octave_base_scale=4", "model.rpn_head.anchor_generator.scales_per_octave=1",
      ]
      let lines = try document(["tiny.yaml"] + octaves).yaml
      #expect(lines.contains("octave_base_scale: null\n      scales_per_octave: null\n      scales: ["), "\(lines)")
      let text = try run.program.succeed(["anchors", "tiny.yaml"]).output
      #expect(text.contains("about as well as any that were tried:\nmodel:\n"), "\(text)")
      #expect(text.contains("\nmodel:\n  rpn_head:\n    anchor_generator:\n      scales: ["), "\(text)")
      #expect(text.contains("  all                     3      66.7 %     100.0 %     0.880\n"), "\(text)")
    }

    @Test("What has no anchors, and what is asked wrongly, is answered in a sentence") func refused() throws {
      let text = String(decoding: try run.folder.read("tiny.yaml"), as: UTF8.self)
        .replacing("type: FasterRCNN", with: "type: FastRCNN")
        .replacing(
          "- {type: LoadImageFromFile}", with: "- {type: LoadImageFromFile}\n      - {type: LoadProposals}"
        )
        .replacing("img_prefix: data/train", with: "img_prefix: data/train\n    proposal_file: train.pkl")
        .replacing("img_prefix: data/val", with: "img_prefix: data/val\n    proposal_file: val.pkl")
        .replacing("keys: [img, gt_bboxes", with: "keys: [img, proposals, gt_bboxes")
        .replacing("{type: Collect, keys: [img]}", with: "{type: Collect, keys: [img, proposals]}")
      try run.folder.write(text, to: "fast.yaml")
      let fast = try run.program.run(["anchors", "fast.yaml", "--cfg-options", "model.rpn_head=null"])
      #expect(fast.code == 64 && fast.errors.contains("fast.yaml is a FastRCNN"), "\(fast)")
      let none = try run.program.run(
        ["anchors", "tiny.yaml", "--data", "val", "--cfg-options", "data.val=null", "data.test=null"])
      #expect(none.code == 78 && none.errors.contains("'data.val' is missing"), "\(none)")
      let count = try run.program.run(["anchors", "tiny.yaml", "--num-scales", "0"])
      #expect(count.code == 64 && count.errors.contains("--num-scales is 0"), "\(count)")
    }
  }
}
