import Foundation
import Testing
import Training

extension ProgramTests {
  /// `check` says what a data set holds, and whether a training could use it.
  @Suite("Check") struct Check {
    private static let images = (0..<4).map { _ in BoxedImage(boxes: [BoxedImage.Box(x: 20, y: 20, side: 40)]) }
    private static let train = "data/annotations/instances_train.json"

    private let run: TinyRun

    init() throws { run = try TinyRun(images: Self.images) }

    private func document(_ outcome: Outcome) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome)")
    }

    private func edit(_ path: String, _ change: (String) -> String) throws {
      try run.folder.write(change(String(decoding: try run.folder.read(path), as: UTF8.self)), to: path)
    }

    @Test("A table, or one JSON document, also where something is wrong") func facts() throws {
      let val = "data/annotations/instances_val.json"
      try edit(val) { $0.replacing(#"{"id": 1, "image_id""#, with: #"{"id": 0, "image_id""#) }
      let options = ["--cfg-options", "data.val.img_prefix=data/train/", "data.test.img_prefix=data/train/"]
      let table = try run.program.succeed(["check", "tiny.yaml"] + options)
      let lines = table.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(lines.contains("data.train: data/annotations/instances_train.json"), "\(table)")
      #expect(lines.contains("circle         1      0       1      0      0       1"), "\(table)")
      #expect(lines.contains("warning: 1 of 5 classes have no box, 'ring': nothing is learnt of them"), "\(table)")
      #expect(lines.contains { $0.hasPrefix("warning: annotation 0 can never count as found") }, "\(table)")
      #expect(lines.contains { $0.hasPrefix("warning: 4 pictures are in train and in val: 1.png, 2.png, 3.png, …; ") })
      #expect(lines.contains("data.test: as data.val"), "\(table)")
      #expect(!table.output.contains("samples_per_gpu") && table.errors.isEmpty)

      let good = try document(run.program.succeed(["check", "tiny.yaml", "--json"] + options))
      #expect(good["exit_code"] as? Int == 0 && good["error"] is NSNull && good["pictures"] as? String == "headers")
      let datasets = try #require(good["datasets"] as? [[String: Any]])
      #expect(datasets.map { $0["name"] as? String } == ["train", "val", "test"])
      let circle = try #require((datasets[0]["classes"] as? [[String: Any]])?.first)
      #expect(circle["name"] as? String == "circle" && circle["medium"] as? Int == 1 && circle["large"] as? Int == 0)
      let findings = try #require(datasets[1]["findings"] as? [[String: Any]])
      let shared = try #require(findings.first { $0["kind"] as? String == "shared_pictures" })
      #expect(shared["count"] as? Int == 4 && shared["first_ids"] as? [Int] == [1, 2, 3])

      try FileManager.default.removeItem(atPath: run.folder.path("data/train/2.png"))
      let bad = try run.program.run(["check", "tiny.yaml", "--json"] + options)
      let error = try #require(try document(bad)["error"] as? String)
      #expect(bad.code == 66 && error.contains("of 4 pictures 1 not there") && bad.errors.contains(error), "\(bad)")
      #expect((try document(bad)["datasets"] as? [Any])?.count == 3)
      let configuration = try run.program.run(["check", "none.yaml", "--json"])
      #expect(try configuration.code == 66 && document(configuration)["exit_code"] as? Int == 66)
    }

    @Test("With both streams in one file the error comes last; the configuration is printed when it is asked for")
    func streams() throws {
      let printed = try run.program.succeed(["check", "tiny.yaml", "--print-config"])
      // What follows the configuration is a comment.
      try run.folder.write(printed.output, to: "again.yaml")
      try run.program.succeed(["check", "again.yaml"])
      try FileManager.default.removeItem(atPath: run.folder.path("data/train/2.png"))
      let running = try run.program.start(["check", "tiny.yaml", "--print-config"], shell: "exec > log.txt 2>&1")
      #expect(try running.wait().code == 66)
      let log = String(decoding: try run.folder.read("log.txt"), as: UTF8.self)
      #expect(log.hasPrefix("model:"))
      #expect(log.split(separator: "\n").last?.hasPrefix("  image 2: data/train/2.png") == true, "\(log.suffix(2000))")
    }

    @Test("What has changed since a checkpoint") func sinceACheckpoint() throws {
      try run.train("work", ranks: 1, batch: 2, iterations: 1)
      let check = ["check", "tiny.yaml", "--checkpoint", "work", "--cfg-options", "data.samples_per_gpu=2"]
      let same = try run.program.succeed(check + ["runner.max_iters=1"])
      #expect(same.output.contains("\n  classes: the same\n  data.train: the same 4 images\n  settings: the same, "))
      try edit(Self.train) {
        $0.replacing(#"{"id": 4, "file_name": "4.png", "width": 128, "height": 96}"#, with: "")
          .replacing(#""height": 96}, ]"#, with: #""height": 96}]"#)
          .replacing(#"{"id": 4, "image_id": 4"#, with: #"{"id": 4, "image_id": 3"#)
          .replacing("circle", with: "disc")
      }
      try edit("data/annotations/instances_val.json") { $0.replacing("circle", with: "disc") }
      let classes = ["train", "val", "test"].map { "data.\($0).classes=[disc,rectangle,triangle,star,ring]" }
      let other = try run.program.succeed(check + classes + ["runner.max_iters=1", "optimizer.lr=0.02"])
      for line in [
        "warning: classes: they were circle, rectangle, triangle, star, ring, now they are disc, rectangle, ",
        "warning: data.train: it had 4 images, and has 3\n", "optimizer.lr: was 0.01, is 0.02\n",
      ] { #expect(other.output.contains(line), "\(line)\(other)") }
      let document = try document(run.program.succeed(check + classes + ["--json"]))
      #expect((document["checkpoint"] as? [String: Any])?["images_before"] as? Int == 4)
      let missing = ["check", "tiny.yaml", "--checkpoint", "none.h5", "--cfg-options"] + classes
      #expect(try run.program.run(missing).code == 66)
    }

    @Test("test says that an annotation 0 is never found") func theIDZero() throws {
      try run.train("work", ranks: 1, batch: 2, iterations: 1)
      try edit("data/annotations/instances_val.json") {
        $0.replacing(#"{"id": 1, "image_id""#, with: #"{"id": 0, "image_id""#)
      }
      let outcome = try run.program.succeed(["test", "tiny.yaml", "work/latest.h5"], ranks: 2)
      #expect(outcome.output.components(separatedBy: "warning: annotation 0 can never count").count == 2, "\(outcome)")
    }

    // MARK: The same verdict

    private typealias Change = (name: String, change: @Sendable (String) -> String)

    private static func box(_ box: String) -> @Sendable (String) -> String {
      { $0.replacing("[20, 20, 40, 40]", with: box) }
    }
    private static func text(_ text: String, _ other: String) -> @Sendable (String) -> String {
      { $0.replacing(text, with: other) }
    }

    private static let changes: [Change] = [
      ("nothing", { $0 }),
      ("ids from 0", text(#"{"id": 1, "image_id""#, #"{"id": 0, "image_id""#)),
      ("an unknown key", text(#", "image_id""#, #", "id2": 0, "image_id""#)),
      ("an area of the picture", text(#""area": 1600"#, #""area": 12288"#)),
      ("no area", text(#""area": 1600, "#, "")), ("an area of 0", text(#""area": 1600"#, #""area": 0"#)),
      ("all crowd", text(#""iscrowd": 0"#, #""iscrowd": 1"#)), ("ignored", text(#""iscrowd": 0"#, #""ignore": 1"#)),
      ("iscrowd of two", text(#""iscrowd": 0"#, #""iscrowd": 2"#)),
      ("fractions", box("[0.1, 0.2, 0.3, 0.4]")), ("outside", box("[200, 200, 40, 40]")),
      ("over the edge", box("[100, 70, 300, 300]")), ("three numbers", box("[1, 2, 3]")),
      ("beyond all pictures", box("[0, 0, 1e20, 1e20]")), ("a negative width", box("[90, 20, -40, 40]")),
      ("no box", text(#""bbox""#, #""box""#)), ("an object for a box", box(#"{"x": 1}"#)),
      ("an unknown image", text(#""image_id": 3"#, #""image_id": 33"#)),
      ("an unknown category", text(#""category_id": 3"#, #""category_id": 33"#)),
      ("no category", text(#""category_id": 3"#, #""category_id": null"#)),
      ("a class of another name", text(#""name": "circle""#, #""name": "disc""#)),
      ("two classes of a name", text(#""name": "circle""#, #""name": "star""#)),
      ("one picture listed twice", text(#""file_name": "3.png""#, #""file_name": "2.png""#)),
      ("a missing picture", text(#""file_name": "3.png""#, #""file_name": "30.png""#)),
      ("a picture outside", text(#""file_name": "3.png""#, #""file_name": "../../3.png""#)),
      ("a folder for a picture", text(#""file_name": "3.png""#, #""file_name": "sub""#)),
      ("swapped sizes", text(#""width": 128, "height": 96"#, #""width": 96, "height": 128"#)),
      ("small pictures", text(#""width": 128, "height": 96"#, #""width": 128, "height": 9"#)),
      ("huge pictures", text(#""width": 128"#, #""width": 12800000000"#)),
      ("no annotations", text(#""annotations": ["#, #""annotations": [], "others": ["#)),
      ("a cut file", { "\($0.dropLast(20))" }), ("an empty file", { _ in "" }), ("an array", { _ in "[]" }),
    ]

    @Test("check, and a training of one epoch, come to the same end", arguments: ["train", "val"])
    func theSameVerdict(split: String) throws {
      try FileManager.default.createDirectory(
        atPath: run.folder.path("data/\(split)/sub"), withIntermediateDirectories: true)
      let path = "data/annotations/instances_\(split).json"
      let good = String(decoding: try run.folder.read(path), as: UTF8.self)
      var codes: [Int32: Int] = [:]
      // An evaluation reads what a training does.
      let few = stride(from: 0, to: Self.changes.count, by: 3).map { Self.changes[$0] }
      let changes = split == "train" ? Self.changes : few
      let options = split == "train" ? [] : ["evaluation={interval: 1}"]
      for (name, change) in changes {
        try run.folder.write(change(good), to: path)
        let check = try run.program.run(["check", "tiny.yaml"])
        let training = try run.program.run(
          run.command("work", ranks: 1, batch: 2, iterations: 2, options: options))
        #expect(check.code == training.code, "\(name): \(check)\n\(training)")
        codes[check.code, default: 0] += 1
        try? FileManager.default.removeItem(atPath: run.folder.path("work"))
      }
      #expect(Set(codes.keys).isSuperset(of: split == "train" ? [0, 65, 66] : [0, 65]), "\(codes)")
    }
  }
}
