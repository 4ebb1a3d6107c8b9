import Foundation
import TestSupport
import Testing
import Training

extension ProgramTests {
  /// The page about a training.
  @Suite("report") struct ReportTests {
    private static let sections = [
      "run", "training", "numbers", "classes", "curves", "threshold", "confusion", "errors", "pictures",
      "configuration",
    ]
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    private func page(_ path: String) throws -> PageContent {
      let page = PageContent(String(decoding: try run.folder.read(path), as: UTF8.self))
      #expect(page.faults.isEmpty, "\(path): \(page.faults.prefix(10))")
      return page
    }

    /// The numbers that `test` prints stand in a page.
    private func expectNumbers(of test: Outcome, in page: PageContent) {
      var count = 0
      for line in test.output.split(separator: "\n") where line.contains(" = ") {
        let parts = line.components(separatedBy: " = ")
        let name = parts[0].split(separator: " ").joined(separator: " ")
        let place = page.lines.firstIndex(of: name)
        #expect(place.map { page.lines[$0 + 1] } == parts[1], "\(line)")
        count += 1
      }
      #expect(count == 12, "\(test)")
    }

    @Test("A resumed training: every part, and the numbers of test, on any number of ranks") func everything() throws {
      let options = ["evaluation={interval: 4, by_epoch: false, classwise: true}", "optimizer.lr=0.05"]
      let more = ["model.test_cfg.rcnn.score_thr=0.01"]
      try run.train("work", ranks: 1, batch: 4, iterations: 8, options: options + more)
      // Logs are named by the second.
      let names = try FileManager.default.contentsOfDirectory(atPath: run.folder.path("work"))
      let first = try #require(names.first { $0.hasSuffix(".log.json") })
      try FileManager.default.moveItem(
        atPath: run.folder.path("work/\(first)"), toPath: run.folder.path("work/20200101_000000.log.json"))
      try run.train(
        "work", ranks: 2, batch: 4, iterations: 16, options: options + more, arguments: ["--resume", "auto"])
      try run.program.succeed(["report", "work"])
      let report = try page("work/report.html")
      #expect(report.sections == Self.sections)
      #expect(report.lines.filter { $0 == "Losses" }.count == 1 || report.lines.contains("Losses"))
      for text in ["Learning rate", "Time of an iteration", "The training was started 2 times", "circle"] {
        #expect(report.lines.contains(text), "\(text)")
      }
      #expect(report.lines.contains { $0.hasPrefix("Trained for the") || $0.contains("16 iterations") })
      #expect(!report.all("img").isEmpty)
      let test = try run.program.succeed(
        ["test", "tiny.yaml", "work", "--out", "found.json", "--cfg-options"] + more)
      expectNumbers(of: test, in: report)
      try run.program.succeed(["report", "work", "--out", "two/ranks.html"], ranks: 2)
      expectNumbers(of: test, in: try page("two/ranks.html"))
      // What 'test --out' wrote gives the same page, but for where the boxes are from.
      try run.program.succeed(["report", "work", "--detections", "found.json", "--out", "read.html"])
      let read = try page("read.html")
      expectNumbers(of: test, in: read)
      #expect(read.lines.count { $0 == "found.json" } == 1)
      #expect(read.all("img").count == report.all("img").count)
      #expect(read.all("path").map { $0.attributes["d"] } == report.all("path").map { $0.attributes["d"] })
    }

    @Test("What isn't there is said to be missing") func missing() throws {
      try run.train("work", ranks: 1, batch: 2, iterations: 2)
      let checkpoints = try FileManager.default.contentsOfDirectory(atPath: run.folder.path("work"))
        .filter { $0.hasSuffix(".h5") || $0.hasSuffix(".log.json") }
      for name in checkpoints { try FileManager.default.removeItem(atPath: run.folder.path("work/\(name)")) }
      let outcome = try run.program.succeed(["report", "work"])
      #expect(outcome.output.contains("holds no checkpoint yet"), "\(outcome)")
      let report = try page("work/report.html")
      #expect(report.sections == Self.sections)
      #expect(report.lines.contains { $0.contains("holds no <time>.log.json") })
      #expect(report.lines.count { $0.contains("holds no checkpoint yet") } == 7)
    }

    @Test("An RPN has recalls alone; curves alone are had without data") func proposals() throws {
      let rpn = [
        "model.type=RPN", "model.roi_head=null", "data.train.pipeline.1.with_label=false",
        "data.train.pipeline.7.keys=[img, gt_bboxes]",
      ]
      try run.train("work", ranks: 1, batch: 2, iterations: 2, options: rpn)
      try run.program.succeed(["report", "work"])
      let report = try page("work/report.html")
      #expect(report.sections == Self.sections && report.lines.contains("AR@100"))
      #expect(report.lines.count { $0.contains("an RPN, whose proposals are of no class") } == 5)
      try FileManager.default.removeItem(atPath: run.folder.path("data"))
      let failed = try run.program.run(["report", "work"])
      #expect(failed.code == 66 && failed.errors.contains("start 'rcnn-train report' where"), "\(failed)")
      try run.program.succeed(["report", "work", "--no-evaluation", "--out", "curves.html"])
      let curves = try page("curves.html")
      #expect(curves.lines.contains("Losses") && curves.lines.count { $0.contains("--no-evaluation") } == 7)
    }

    @Test("A test set without annotations: no numbers, and a page") func withoutGroundTruth() throws {
      try run.train("work", ranks: 1, batch: 2, iterations: 2)
      var file = try #require(
        try JSONSerialization.jsonObject(with: Data(run.folder.read("data/annotations/instances_val.json")))
          as? [String: Any])
      file["annotations"] = nil
      let bare = try JSONSerialization.data(withJSONObject: file)
      try run.folder.write(String(decoding: bare, as: UTF8.self), to: "bare.json")
      try run.program.succeed(
        ["report", "work", "--data", "test", "--cfg-options", "data.test.ann_file=bare.json"])
      let report = try page("work/report.html")
      #expect(report.sections == Self.sections)
      #expect(report.lines.count { $0.contains("has no 'annotations': nothing is measured") } >= 7)
    }

    @Test("Names of classes are shown as they are") func hostileNames() throws {
      let names = ["<script>x</script>", "a\" onload=\"b", "&lt;", "名前", "ring"]
      for part in ["train", "val"] {
        let path = "data/annotations/instances_\(part).json"
        var file = try #require(
          try JSONSerialization.jsonObject(with: Data(run.folder.read(path))) as? [String: Any])
        let categories = try #require(file["categories"] as? [[String: Any]])
        try #require(categories.count == names.count)
        file["categories"] = zip(categories, names).map { $0.merging(["name": $1]) { $1 } }
        let text = try JSONSerialization.data(withJSONObject: file)
        try run.folder.write(String(decoding: text, as: UTF8.self), to: path)
      }
      let options = ["data.train.classes=null", "data.val.classes=null", "data.test.classes=null"]
      try run.train("work", ranks: 1, batch: 2, iterations: 2, options: options)
      try run.program.succeed(
        ["report", "work", "--score-thr", "0", "--cfg-options", "model.test_cfg.rcnn.score_thr=0.001"])
      let report = try page("work/report.html")
      for name in names { #expect(report.lines.contains { $0.contains(name) }, "\(name)") }
      try run.program.succeed(["browse", "tiny.yaml", "--cfg-options"] + options)
      let sheet = try page("browse.html")
      #expect(sheet.lines.contains { $0.contains(names[0]) })
    }

    @Test("Mistakes are said before anything is detected") func mistakes() throws {
      let nowhere = try run.program.run(["report", "nowhere"])
      #expect(nowhere.code == 66 && nowhere.errors.contains("nowhere: error: there is no such folder"), "\(nowhere)")
      let other = try run.program.run(["report", "data"])
      #expect(other.code == 66 && other.errors.contains("holds no config.yaml"), "\(other)")
      let train = try run.program.run(["report", "data", "--data", "train"])
      #expect(train.code == 64 && train.errors.contains("--data is val or test"), "\(train)")
      try run.train("work", ranks: 1, batch: 2, iterations: 1)
      let out = try run.program.run(["report", "work", "--out", "data"])
      #expect(out.code == 74 && out.errors.contains("data: error: can't be written"), "\(out)")
      try run.folder.write(#"[{"image_id": 77, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1}]"#, to: "found.json")
      let image = try run.program.run(["report", "work", "--detections", "found.json"])
      #expect(image.code == 65 && image.errors.contains("entry 0 is of image 77, which the data set"), "\(image)")
    }
  }
}
