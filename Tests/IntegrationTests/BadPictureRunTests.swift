import Foundation
import Testing
import Training

extension FaultTests {
  /// Nothing is lost to one bad picture.
  @Suite("One bad picture") struct OneBadPicture {
    private let run: TinyRun
    /// Found on the way, not at the start.
    private static let options = [
      "mpi.check_pictures=none", "mpi.reduction=exact", "mpi.shuffle=false", "data.train.filter_empty_gt=false",
    ]

    init() throws { run = try TinyRun() }

    private func start(
      _ workDir: String, ranks: Int, iterations: Int, options: [String] = [], arguments: [String] = []
    ) throws -> Outcome {
      let command = run.command(
        workDir, ranks: ranks, batch: 6, iterations: iterations,
        options: Self.options + ["mpi.global_batch=6"] + options)
      return try run.program.run(command + arguments, ranks: ranks)
    }

    /// A picture's name, by its place in the file's order.
    private func name(_ place: Int, _ split: String = "train") throws -> String {
      try run.folder.names(in: "data/\(split)")[place]
    }

    private func spoil(_ place: Int, _ split: String = "train") throws -> String {
      let path = "data/\(split)/\(try name(place, split))"
      try FileManager.default.copyItem(atPath: run.folder.path(path), toPath: run.folder.path("kept"))
      try run.folder.write("This is not a picture.", to: path)
      return path
    }

    private func mend(_ path: String) throws {
      try FileManager.default.removeItem(atPath: run.folder.path(path))
      try FileManager.default.moveItem(atPath: run.folder.path("kept"), toPath: run.folder.path(path))
    }

    private func expectSameBits(_ work: String, _ other: String) throws {
      let (actual, expected) = (try run.checkpoint("\(work)/latest.h5"), try run.checkpoint("\(other)/latest.h5"))
      #expect(actual.iteration == expected.iteration && actual.progress == expected.progress)
      #expect(actual.model == expected.model && actual.momenta == expected.momenta, "\(work) is not \(other)")
    }

    /// The line of an epoch's end in `.log.json`.
    private func lists(_ workDir: String) throws -> [[String: Any]] {
      let file = try #require(try run.folder.names(in: workDir).last { $0.hasSuffix(".log.json") })
      return try String(decoding: run.folder.read("\(workDir)/\(file)"), as: UTF8.self).split(separator: "\n")
        .compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        .filter { $0["mode"] as? String == "bad_pictures" }
    }

    @Test("stops a run with what is done saved, and the run goes on once it is mended")
    func stops() throws {
      #expect(try start("straight", ranks: 2, iterations: 4).code == 0)
      // In the third batch of six, and of the second rank's three.
      let path = try spoil(16)
      let outcome = try start("work", ranks: 2, iterations: 4)
      #expect(outcome.code == 65, "\(outcome)")
      let sentence = try Regex(
        #"\n?\#(path): error: is text; a picture \(JPEG, PNG, WebP, TIFF, BMP or GIF\) is expected "#
          + #"\(image \d+, read by rank 1 of 2 on \S+\); mend it, "#
          + #"or let 'mpi.on_bad_picture: skip' put another in its place\n"#
          + #"The training up to iteration 2 is saved; go on with --resume auto\n"#)
      #expect(outcome.errors.contains(sentence), "\(outcome)")
      #expect(try run.checkpoint("work/latest.h5").iteration == 2)
      #expect(try lists("work").count == 1)
      // What is there already isn't written again, and a missing one has a code of its own.
      try FileManager.default.removeItem(atPath: run.folder.path(path))
      let again = try start("work", ranks: 3, iterations: 4, arguments: ["--resume", "auto"])
      #expect(again.code == 66 && again.errors.contains("No step was done since the start; go on with"), "\(again)")
      try run.folder.write("", to: path)
      try mend(path)
      let resumed = try start("work", ranks: 1, iterations: 4, arguments: ["--resume", "auto"])
      #expect(resumed.code == 0, "\(resumed)")
      try expectSameBits("work", "straight")
    }

    @Test("is skipped alike on 1, 2 and 3 ranks and after a resume, counted, and listed")
    func skips() throws {
      let path = try spoil(9)
      let skip = ["mpi.on_bad_picture=skip"]
      for ranks in 1...3 {
        let outcome = try start("\(ranks)", ranks: ranks, iterations: 6, options: skip)
        #expect(outcome.code == 0, "\(outcome)")
        let warning = try Regex(
          #"\#(path): error: is text; a picture \(JPEG, PNG, WebP, TIFF, BMP or GIF\) is expected "#
            + #"\(image \d+, read by rank \d of \#(ranks) on \S+\): "#
            + #"image \d+ takes its place; 1 of at most 10 bad pictures"#)
        #expect(outcome.output.matches(of: warning).count == 1, "\(outcome)")
        let log = try TrainingLog(newestIn: run.folder.path("\(ranks)"))
        #expect(log.steps.map { $0["bad_pictures"] } == [nil, 1, 1, 1, 1, 1])
        let lists = try lists("\(ranks)")
        #expect(lists.map { $0["of_epoch"] as? Int } == [1, 2], "\(lists)")
        let listed = (lists[0]["bad_pictures"] as? [[String: Any]])?.first
        #expect(listed?["file"] as? String == path && listed?["reason"] as? String != nil, "\(lists)")
        if ranks > 1 { try expectSameBits("\(ranks)", "1") }
      }
      #expect(try start("resumed", ranks: 3, iterations: 1, options: skip).code == 0)
      #expect(try start("resumed", ranks: 2, iterations: 6, options: skip, arguments: ["--resume"]).code == 0)
      try expectSameBits("resumed", "1")
    }

    @Test("… up to a limit")
    func skipsUpToALimit() throws {
      let first = try spoil(9)
      let second = "data/train/\(try name(13))"
      try run.folder.write("", to: second)
      let outcome = try start(
        "work", ranks: 2, iterations: 4, options: ["mpi.on_bad_picture=skip", "mpi.max_bad_pictures=1"])
      #expect(outcome.code == 65, "\(outcome)")
      let words = [
        "\(second): error: is an empty file", "that is 2 bad pictures, more than 'mpi.max_bad_pictures: 1' allows",
        "the others:\n  \(first) (image ", " is saved; go on with --resume auto",
      ]
      for word in words { #expect(outcome.errors.contains(word), "\(word): \(outcome)") }
      #expect(try run.checkpoint("work/latest.h5").iteration < 3)
    }

    @Test("of the validation stops it, with the training saved; or it counts as one without detections, loudly")
    func inTheEvaluation() throws {
      let path = try spoil(3, "val")
      let evaluates = ["evaluation={interval: 1, by_epoch: false}"]
      let stopped = try start("work", ranks: 2, iterations: 2, options: evaluates)
      #expect(stopped.code == 65, "\(stopped)")
      let sentence = try Regex(
        #"\#(path): error: is text; .* \(image \d+, read by rank 1 of 2 on \S+\): nothing is measured without it; mend it, or "#
          + #"let 'mpi.on_bad_picture: skip' count it as one in which nothing is found"#)
      #expect(stopped.errors.contains(sentence), "\(stopped)")
      #expect(try run.checkpoint("work/latest.h5").iteration == 1)
      let skip = ["mpi.on_bad_picture=skip"]
      let skipped = try start(
        "work", ranks: 2, iterations: 2, options: evaluates + skip, arguments: ["--resume", "auto"])
      #expect(skipped.code == 0, "\(skipped)")
      let warning = "1 picture of the evaluation could not be used and count as if nothing was found in them"
      #expect(skipped.output.contains(warning) && skipped.output.contains("\n  \(path) (image "), "\(skipped)")
      #expect(try TrainingLog(newestIn: run.folder.path("work")).validations.map { $0["bad_pictures"] } == [1, 1])

      let test = ["test", "tiny.yaml", "work/latest.h5", "--out", "found.json", "--cfg-options"] + Self.options
      let refused = try run.program.run(test, ranks: 2)
      #expect(refused.code == 65 && refused.errors.contains(sentence) && !run.folder.exists("found.json"), "\(refused)")
      let counted = try run.program.run(test + skip, ranks: 2)
      #expect(counted.code == 0 && counted.errors.contains("warning: \(warning)"), "\(counted)")
      #expect(run.folder.exists("found.json"))
    }
  }
}
