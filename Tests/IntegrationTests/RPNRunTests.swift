import Foundation
import Testing
import Training

extension ProgramTests {
  /// An RPN alone, and Fast R-CNN on what it proposes.
  @Suite("RPN and Fast R-CNN") struct RPNRuns {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    private let rpn = [
      "model.type=RPN", "model.roi_head=null", "data.train.pipeline.1.with_label=false",
      "data.train.pipeline.7.keys=[img, gt_bboxes]",
    ]

    @Test("An RPN has the same losses on any number of ranks, is measured by recall, and proposes for Fast R-CNN")
    func proposals() throws {
      let alone = try run.train("1", ranks: 1, batch: 8, iterations: 12, options: rpn)
      let terms = alone.steps[0].keys.filter { $0.contains("loss") || $0.hasSuffix("acc") }
      #expect(terms.sorted() == ["loss", "loss_rpn_bbox", "loss_rpn_cls"])
      for ranks in [2, 4] {
        let log = try run.train("\(ranks)", ranks: ranks, batch: 8, iterations: 12, options: rpn)
        log.expectSameLosses(as: alone.steps[...], "\(ranks) ranks")
      }
      for (name, part) in [("train.pkl", "train"), ("val.h5", "val"), ("val.pkl", "val"), ("val.json", "val")] {
        let outcome = try test(name, part, ranks: name == "val.pkl" ? 3 : 1)
        #expect(outcome.output.contains("AR@100: 0.") && outcome.output.contains("AR@1000: 0."), "\(outcome)")
      }
      let found = try JSONSerialization.jsonObject(with: Data(run.folder.read("val.json"))) as? [[String: Any]]
      #expect(found?.isEmpty == false && found?.allSatisfy { $0["category_id"] as? Int == 1 } == true)
      try fastRCNN()
    }

    private func test(_ out: String, _ part: String, ranks: Int) throws -> Outcome {
      let data = [
        "data.test.ann_file=data/annotations/instances_\(part).json", "data.test.img_prefix=data/\(part)",
      ]
      return try run.program.succeed(
        ["test", "tiny.yaml", "1/latest.h5", "--out", out, "--cfg-options"] + rpn + data, ranks: ranks)
    }

    private func fastRCNN() throws {
      let text = String(decoding: try run.folder.read("tiny.yaml"), as: UTF8.self)
        .replacing("type: FasterRCNN", with: "type: FastRCNN")
        .replacing(
          "- {type: LoadImageFromFile}", with: "- {type: LoadImageFromFile}\n      - {type: LoadProposals}"
        )
        .replacing("keys: [img, gt_bboxes", with: "keys: [img, proposals, gt_bboxes")
        .replacing("{type: Collect, keys: [img]}", with: "{type: Collect, keys: [img, proposals]}")
        .replacing("img_prefix: data/train", with: "img_prefix: data/train\n    proposal_file: train.pkl")
        .replacing("img_prefix: data/val", with: "img_prefix: data/val\n    proposal_file: val.pkl")
      try run.folder.write(text, to: "fast.yaml")
      let options = ["--cfg-options", "model.rpn_head=null", "runner.max_iters=8", "mpi.reduction=exact"]
      var models: [Checkpoint] = []
      for ranks in [1, 2, 4] {
        try run.program.succeed(
          ["train", "fast.yaml", "--work-dir", "fast\(ranks)"] + options + ["data.samples_per_gpu=\(8 / ranks)"],
          ranks: ranks)
        models.append(try run.checkpoint("fast\(ranks)/latest.h5"))
      }
      for model in models {
        #expect(!model.model.contains { $0.name.hasPrefix("rpn_head") })
        #expect(model.model.map(\.values) == models[0].model.map(\.values))
      }
      func bbox(_ more: [String]) throws -> [UInt8] {
        let command = ["test", "fast.yaml", "fast1/latest.h5", "--out", "found.json"] + options + more
        _ = try run.program.succeed(command, ranks: 2)
        return try run.folder.read("found.json")
      }
      #expect(try bbox([]) == bbox(["data.test.proposal_file=val.h5"]))
      let refused = try run.program.run(
        ["predict", "fast.yaml", "fast1/latest.h5", "data/val", "--out-dir", "seen"] + options)
      #expect(refused.code == 64 && refused.errors.contains("is a FastRCNN"), "\(refused)")
      let other = try run.program.run(
        ["train", "fast.yaml", "--work-dir", "no"] + options + ["data.train.proposal_file=val.pkl"], ranks: 2)
      #expect(other.code == 65 && other.errors.contains("it holds proposals for 6 images"), "\(other)")
    }

    @Test("predict draws an RPN's proposals") func predict() throws {
      try run.train("1", ranks: 1, batch: 4, iterations: 2, options: rpn)
      let outcome = try run.program.succeed(
        ["predict", "tiny.yaml", "1/latest.h5", "data/val", "--score-thr", "0.1", "--out-dir", "seen", "--cfg-options"]
          + rpn)
      #expect(outcome.output.contains("objects"), "\(outcome)")
      let text = String(decoding: try run.folder.read("seen/predictions.json"), as: UTF8.self)
      #expect(text.contains("\"name\": \"object\""))
    }
  }
}
