import Foundation
import Testing

extension ProgramTests {
  /// Files as people have them, through training and test.
  @Suite("Forms of annotation files") struct FieldForms {
    private static let images = (0..<4).map { _ in BoxedImage(boxes: [BoxedImage.Box(x: 20, y: 20, side: 40)]) }
    private static let loose = ["--cfg-options", "model.test_cfg.rcnn.score_thr=0.001"]

    private func file(_ run: TinyRun, _ split: String) throws -> [String: Any] {
      let data = Data(try run.folder.read("data/annotations/instances_\(split).json"))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func write(_ content: [String: Any], _ run: TinyRun, _ name: String) throws {
      let data = try JSONSerialization.data(withJSONObject: content)
      try run.folder.write(String(decoding: data, as: UTF8.self), to: "data/annotations/\(name).json")
    }

    /// Texts in the order of the numbers, as ids of images and annotations.
    private func withTextIDs(_ content: [String: Any]) -> [String: Any] {
      func renamed(_ list: Any?, _ keys: [String]) -> [[String: Any]] {
        (list as? [[String: Any]] ?? []).map { object in
          object.merging(keys.map { ($0, "uuid-\(object[$0] ?? "")" as Any) }, uniquingKeysWith: { $1 })
        }
      }
      var content = content
      content["images"] = renamed(content["images"], ["id"])
      content["annotations"] = renamed(content["annotations"], ["id", "image_id"])
      return content
    }

    private func imageIDs(_ run: TinyRun, _ name: String) throws -> [String] {
      let entries = try JSONSerialization.jsonObject(with: Data(run.folder.read(name))) as? [[String: Any]]
      return (entries ?? []).map { "\($0["image_id"] ?? "")" }
    }

    @Test("Text ids train and measure as numbers in their order do, on 1 and 3 ranks, and come back in the results")
    func textIDs() throws {
      let run = try TinyRun(images: Self.images)
      let numbers = try run.train("numbers", ranks: 1, batch: 3, iterations: 3)
      let test = ["test", "tiny.yaml", "numbers/latest.h5", "--single-rank"] + Self.loose
      let plain = try run.program.succeed(test + ["--out", "numbers.json"])
      for split in ["train", "val"] { try write(withTextIDs(file(run, split)), run, "instances_\(split)") }
      for ranks in [1, 3] {
        let texts = try run.train("texts-\(ranks)", ranks: ranks, batch: 3, iterations: 3)
        texts.expectSameLosses(as: numbers.steps[...], "texts on \(ranks) ranks")
      }
      let named = try run.program.succeed(test + ["--out", "texts.json"])
      #expect(named.output == plain.output)
      let ids = try imageIDs(run, "numbers.json")
      #expect(ids.count > 4)
      #expect(try imageIDs(run, "texts.json") == ids.map { "uuid-\($0)" })
      let dry = try run.program.succeed(run.command("dry", ranks: 1, batch: 2, iterations: 2) + ["--dry-run"])
      #expect(dry.output.contains("batch 1: images \"uuid-"), "\(dry)")
    }

    @Test("A test set without annotations gets its detections and no metrics; a training refuses to measure on it")
    func withoutAnnotations() throws {
      let run = try TinyRun(images: Self.images)
      try run.train("good", ranks: 1, batch: 2, iterations: 1)
      var content = try file(run, "val")
      content["annotations"] = nil
      try write(content, run, "bare")
      let test = ["test", "tiny.yaml", "good/latest.h5"]
      let bare = Self.loose + ["data.test.ann_file=data/annotations/bare.json"]
      try run.program.succeed(test + ["--out", "all.json"] + Self.loose)
      let outcome = try run.program.succeed(
        test + ["--out", "bare.json", "--metrics", "metrics.json"] + bare, ranks: 2)
      #expect(try run.folder.read("bare.json") == run.folder.read("all.json"))
      #expect(!run.folder.exists("metrics.json") && !outcome.output.contains("mAP"))
      #expect(
        outcome.output.contains(
          "bare.json: has no 'annotations': nothing is measured; metrics.json is not written"), "\(outcome)")
      let options = ["data.val.ann_file=data/annotations/bare.json", "evaluation={interval: 1}"]
      let train = run.command("work", ranks: 1, batch: 2, iterations: 1, options: options)
      for command in [["check", "tiny.yaml", "--cfg-options"] + options, train] {
        let refused = try run.program.run(command)
        #expect(refused.code == 65, "\(refused)")
        #expect(
          refused.errors.contains("bare.json: error: has no 'annotations', so that nothing can be measured on it"),
          "\(refused)")
      }
      try run.program.succeed(train + ["--no-validate"])
    }

    @Test("Options of the evaluation show in the log, in .log.json and in --metrics")
    func evaluationOptions() throws {
      let run = try TinyRun(images: Self.images)
      let options = [
        "evaluation={interval: 1, classwise: true, proposal_nums: [1, 100, 500], iou_thrs: [0.3, 0.5], "
          + "metric_items: [mAP_50, AR_large@500]}",
        "mpi.eval_area_ranges={large: [1500, 1e10]}", "model.test_cfg.rcnn.score_thr=0.001",
      ]
      let log = try run.train("work", ranks: 2, batch: 2, iterations: 2, options: options)
      let line = try #require(log.validations.first)
      #expect(Set(["bbox_mAP_50", "bbox_AR_large@500"]).isSubset(of: line.keys) && line["bbox_mAP"] == nil, "\(line)")
      #expect(line["circle_precision"] != nil, "\(line)")
      #expect(log.text.contains("@[ IoU=0.30:0.50 | area= large | maxDets=500 ] = "))
      #expect(log.text.contains("bbox_mAP_copypaste: "))
      let test = ["test", "tiny.yaml", "work/latest.h5", "--metrics", "m.json", "--cfg-options"] + options
      try run.program.succeed(test)
      let data = Data(try run.folder.read("m.json"))
      let metrics = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      for name in [
        "AP", "AP50", "AP_large", "AR500", "AR_large", "bbox_mAP_50", "bbox_AR_large@500", "circle_precision",
      ] {
        #expect(metrics[name] is NSNumber, "\(name) in \(metrics)")
      }
      #expect((metrics["bbox_mAP_copypaste"] as? String)?.split(separator: " ").count == 4)
      #expect(metrics["bbox_mAP_50"] as? Double == line["bbox_mAP_50"])
    }
  }
}
