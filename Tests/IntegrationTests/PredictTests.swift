import COCO
import Foundation
import Primitives
import Testing

extension ProgramTests {
  @Suite("predict") struct PredictTests {
    private let run: TinyRun

    /// A trained detector, which needs to be no good, and pictures of one name in two folders and of two endings.
    init() throws {
      run = try TinyRun()
      try run.train("trained", ranks: 1, batch: 2, iterations: 1)
      for folder in ["camA", "camB/night"] {
        try FileManager.default.createDirectory(atPath: run.folder.path(folder), withIntermediateDirectories: true)
      }
      for (index, name) in ["camA/1.png", "camA/1.jpg", "camB/1.png", "camB/night/1.png"].enumerated() {
        try picture(name, value: UInt8(40 * index))
      }
    }

    private func picture(_ name: String, value: UInt8 = 90, width: Int = 64, height: Int = 48) throws {
      try ImageEncoder.write(
        Array(repeating: value, count: 3 * width * height), ImageSize(height: height, width: width), .rgb,
        to: run.folder.path(name))
    }

    private func predict(_ arguments: String...) throws -> Outcome {
      try run.program.run(["predict", "tiny.yaml", "trained"] + arguments + ["--score-thr", "0"])
    }

    @Test("Folders, patterns and files: distinct names, and a file that is a COCO file") func folders() throws {
      try run.folder.write("no picture", to: "camA/notes.txt")
      let outcome = try predict("camA", "cam?/*.png", "camB", "--recursive", "--out-dir", "seen")
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.output.contains("camA: 2 pictures; passed over: 1 file that is no picture (camA/notes.txt)\n"))
      #expect(outcome.output.contains("cam?/*.png: 2 pictures\n"), "\(outcome)")
      let found = try Predictions("seen/predictions.json", in: run.folder)
      let names = ["camA/1.jpg", "camA/1.png", "camB/1.png", "camB/night/1.png"]
      #expect(found.images.map(\.file_name) == names)
      #expect(found.images.map(\.drawn) == names)
      #expect(found.images.map(\.id) == [1, 2, 3, 4])
      #expect(found.images.allSatisfy { $0.width == 64 && $0.height == 48 })
      #expect(found.categories.map(\.name) == ShapesDataset.classes)
      #expect(!found.annotations.isEmpty && found.failed.isEmpty)
      #expect(found.annotations.allSatisfy { $0.bbox.count == 4 && (0...1).contains($0.score) && $0.name != "" })
      for name in names {
        let drawn = try ImageDecoder.decode(run.folder.path("seen/\(name)"))
        #expect(drawn.size == ImageSize(height: 48, width: 64))
        #expect(try drawn != ImageDecoder.decode(run.folder.path(name)))
      }
      let text = String(decoding: try run.folder.read("seen/predictions.json"), as: UTF8.self)
      #expect(text.contains("camB/night/1.png") && !text.contains("\\/"))
      // It is an annotation file, as whatever reads those finds.
      let file = try AnnotationFile(reading: run.folder.path("seen/predictions.json"))
      #expect(file.images.count == 4 && file.annotations.count == found.annotations.count)
      // Once more, from above: what was drawn is no input.
      let again = try predict("camA", "camB", "seen/../camA", "--out-dir", "seen")
      #expect(again.code == 0 && again.output.contains("2 of the pictures are named again"), "\(again)")
      #expect(try Predictions("seen/predictions.json", in: run.folder).images.map(\.drawn) == Array(names.prefix(3)))
    }

    @Test("What is missing is listed before anything is done") func missing() throws {
      let outcome = try predict("camA/1.png", "camA/2.png", "CAMB/1.png", "*.bmp", "--out-dir", "seen")
      #expect(outcome.code == 66, "\(outcome)")
      for line in [
        "3 of 4 inputs can't be used", "camA/2.png: the file does not exist", "camB/1.png is there: upper and lower",
        "*.bmp: no picture matches this pattern",
      ] { #expect(outcome.errors.contains(line), "\(outcome)") }
      #expect(!run.folder.exists("seen"))
      let score = try run.program.run(["predict", "tiny.yaml", "trained", "camA", "--score-thr", "30"])
      #expect(score.code == 64 && score.errors.contains("expected a number from 0 to 1"), "\(score)")
    }

    @Test("A picture that can't be read is reported, and the others are written") func oneBad() throws {
      let whole = try run.folder.read("camA/1.png")
      try Data(whole.prefix(whole.count / 2)).write(to: URL(fileURLWithPath: run.folder.path("camA/0.png")))
      try run.folder.write("no picture", to: "notes.txt")
      let outcome = try predict("camA/1.jpg", "notes.txt", "camA", "--out-dir", "seen")
      #expect(outcome.code == 65, "\(outcome)")
      #expect(outcome.errors.contains("notes.txt: error: is text"), "\(outcome)")
      #expect(outcome.errors.contains("camA/0.png: error: "), "\(outcome)")
      #expect(outcome.errors.contains("error: 2 of 4 pictures could not be read"), "\(outcome)")
      let found = try Predictions("seen/predictions.json", in: run.folder)
      #expect(found.images.map(\.file_name) == ["camA/1.jpg", "camA/1.png"])
      #expect(found.failed.map(\.file_name) == ["notes.txt", "camA/0.png"])
      #expect(found.failed.first?.error.hasPrefix("is text") == true)
      #expect(try run.folder.names(in: "seen/camA") == ["1.jpg", "1.png"])
    }

    @Test("Nothing that is read is replaced, also through links", arguments: ["camA", "linked", "hard", "soft"])
    func inputsStay(_ outDir: String) throws {
      let before = try run.folder.read("camA/1.png")
      for folder in ["hard", "soft"] {
        try FileManager.default.createDirectory(atPath: run.folder.path(folder), withIntermediateDirectories: true)
      }
      symlink("camA", run.folder.path("linked"))
      link(run.folder.path("camA/1.png"), run.folder.path("hard/1.png"))
      symlink("../camA/1.png", run.folder.path("soft/1.png"))
      let outcome = try predict("camA/1.png", "--out-dir", outDir)
      #expect(outcome.code == 64, "\(outcome)")
      #expect(outcome.errors.contains("\(outDir)/1.png: error: this input would be replaced"), "\(outcome)")
      #expect(try run.folder.read("camA/1.png") == before)
      #expect(!run.folder.exists("\(outDir)/predictions.json"))
    }

    @Test("The ground truth is not replaced either, and is drawn, by name") func groundTruth() throws {
      let all = try predict("data/val", "camA/1.png", "--out-dir", "both", "--ground-truth", Self.annotations)
      #expect(all.code == 0, "\(all)")
      #expect(
        all.output.contains("ground truth of \(Self.annotations): 6 of 7 pictures have an entry there, with "), "\(all)"
      )
      #expect(all.output.contains("(camA/1.png has none)"), "\(all)")
      let alone = try predict("data/val", "camA/1.png", "--out-dir", "alone")
      #expect(alone.code == 0, "\(alone)")
      let name = try #require(run.folder.names(in: "data/val").first)
      #expect(try run.folder.read("both/data/val/\(name)") != run.folder.read("alone/data/val/\(name)"))
      #expect(try run.folder.read("both/camA/1.png") == run.folder.read("alone/camA/1.png"))
      let over = try predict("data/val", "--out-dir", "both", "--ground-truth", "both/predictions.json")
      #expect(over.code == 64 && over.errors.contains("both/predictions.json: error: this input"), "\(over)")
    }

    private static let annotations = "data/annotations/instances_val.json"
  }

  @Suite("Names in any script") struct NamesInAnyScriptTests {
    @Test("are whole in the file, and drawn as their ids") func names() throws {
      let run = try TinyRun()
      let names = ["猫", "ni\u{f1}o", "triangle", "звезда", "ring"]
      for name in ["tiny.yaml", "data/annotations/instances_train.json", "data/annotations/instances_val.json"] {
        var text = String(decoding: try run.folder.read(name), as: UTF8.self)
        for (old, new) in zip(ShapesDataset.classes, names) { text = text.replacingOccurrences(of: old, with: new) }
        try run.folder.write(text, to: name)
      }
      try run.train("trained", ranks: 1, batch: 2, iterations: 1)
      let outcome = try run.program.succeed(
        ["predict", "tiny.yaml", "trained", "data/val", "--score-thr", "0", "--out-dir", "seen"])
      #expect(
        outcome.output.contains("ASCII characters alone; there 猫 as #7, ni\u{f1}o as nino, звезда as #1; "),
        "\(outcome)")
      #expect(try Predictions("seen/predictions.json", in: run.folder).categories.map(\.name) == names)
    }
  }
}
