import Foundation
import Testing

extension FaultTests {
  /// What can be known before the first step is said then, by every command in the same way.
  @Suite("Known before training") struct KnownBeforeTraining {
    private static let images = (0..<4).map { _ in BoxedImage(boxes: [BoxedImage.Box(x: 20, y: 20, side: 40)]) }

    private func commands(_ run: TinyRun) -> [[String]] {
      let train = run.command("work", ranks: 1, batch: 2, iterations: 2, options: ["evaluation={interval: 1}"])
      return [["check", "tiny.yaml"], train + ["--dry-run"], train]
    }

    /// Expects of `check`, `--dry-run` and a training the same code and words, and nothing left behind.
    private func expectAll(_ run: TinyRun, code: Int32, _ words: [String], options: [String] = []) throws {
      for command in commands(run) {
        let options = options.isEmpty || command.contains("--cfg-options") ? options : ["--cfg-options"] + options
        let arguments = command.filter { $0 != "--dry-run" } + options + command.filter { $0 == "--dry-run" }
        let outcome = try run.program.run(arguments)
        #expect(outcome.code == code, "\(arguments): \(outcome)")
        for word in words { #expect(outcome.errors.contains(word), "\(arguments): \(outcome)") }
        #expect(!run.folder.exists("work"))
      }
    }

    @Test("A picture of the validation that is missing ends check, dry run, training and test")
    func aMissingPicture() throws {
      let run = try TinyRun(images: Self.images)
      try run.train("good", ranks: 1, batch: 2, iterations: 1)
      try FileManager.default.moveItem(
        atPath: run.folder.path("data/val/3.png"), toPath: run.folder.path("data/val/3.PNG"))
      let words = [
        "instances_val.json: error: of 4 pictures 1 not there:",
        "\n  image 3: data/val/3.png (data/val/3.PNG is there: upper and lower case differ)",
      ]
      try expectAll(run, code: 66, words)
      let ranks = try run.program.run(commands(run)[2], ranks: 3)
      #expect(ranks.code == 66 && words.allSatisfy(ranks.errors.contains), "\(ranks)")
      let test = try run.program.run(["test", "tiny.yaml", "good/latest.h5"])
      #expect(test.code == 66 && words.allSatisfy(test.errors.contains), "\(test)")
      // It may be left to chance, too.
      try run.program.succeed(commands(run)[1] + ["--cfg-options", "mpi.check_pictures=none"])
    }

    @Test("Sizes other than the annotation file's are found by check, and by a training that is asked to look")
    func anotherSize() throws {
      let run = try TinyRun(images: Self.images)
      let path = "data/annotations/instances_train.json"
      let text = String(decoding: try run.folder.read(path), as: UTF8.self)
      try run.folder.write(
        text.replacing(#""width": 128, "height": 96"#, with: #""width": 96, "height": 128"#), to: path)
      let words = [
        "error: of 4 pictures 4 of another size than the file says:",
        "image 1: data/train/1.png: the picture is 128 x 96 pixels upright, but the annotation file says 96 x 128 "
          + "(width and height are swapped)",
      ]
      try expectAll(run, code: 65, words, options: ["mpi.check_pictures=headers"])
      let check = try run.program.run(["check", "tiny.yaml"])
      #expect(check.code == 65 && words.allSatisfy(check.errors.contains), "\(check)")
    }

    @Test("Training on nothing ends check, dry run and training, unless background alone is asked for")
    func nothingToTrainOn() throws {
      let run = try TinyRun(images: Self.images)
      let path = "data/annotations/instances_train.json"
      let text = String(decoding: try run.folder.read(path), as: UTF8.self)
      try run.folder.write(text.replacing(#""iscrowd": 0"#, with: #""iscrowd": 1"#), to: path)
      try expectAll(run, code: 65, ["no box is left to train on: 4 of 4 images, 0 boxes; 4 crowd regions; "])
      let background = try run.program.succeed(
        run.command("work", ranks: 1, batch: 2, iterations: 1, options: ["data.train.filter_empty_gt=false"]))
      #expect(
        (background.output + background.errors).contains("there is no box to train on, and 'filter_empty_gt: false'"))
    }

    @Test("A dry run tries the work directory and the weights, and leaves nothing behind")
    func aDryRunTries() throws {
      let run = try TinyRun(images: Self.images)
      try run.train("good", ranks: 1, batch: 2, iterations: 1)
      func dry(_ workDir: String, _ arguments: [String], _ options: [String] = []) throws -> Outcome {
        try run.program.run(
          run.command(workDir, ranks: 1, batch: 2, iterations: 2, options: options) + ["--dry-run"] + arguments)
      }
      let otherNeck = [
        "model.neck.out_channels=24", "model.rpn_head.in_channels=24", "model.rpn_head.feat_channels=24",
        "model.roi_head.bbox_roi_extractor.out_channels=24", "model.roi_head.bbox_head.in_channels=24",
      ]
      let before = try run.folder.names(in: ".").filter { !$0.hasPrefix("run-") }
      let below = try dry("tiny.yaml/work", [])
      #expect(below.code == 74 && below.errors.contains("tiny.yaml/work: error: can't be written"), "\(below)")
      for argument in ["--load-from", "--resume"] {
        let missing = try dry("new/work", [argument, "none.h5"])
        #expect(missing.code == 66 && missing.errors.contains("none.h5: error: "), "\(missing)")
        #expect(try dry("new/work", [argument, "good/latest.h5"]).code == 0)
        let other = try dry("new/work", [argument, "good/latest.h5"], otherNeck)
        #expect(other.code == 65 && other.errors.contains("has shape"), "\(other)")
      }
      #expect(try run.folder.names(in: ".").filter { !$0.hasPrefix("run-") } == before)
    }
  }
}
