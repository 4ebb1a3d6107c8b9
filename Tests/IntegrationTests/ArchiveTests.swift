import Foundation
import TestSupport
import Testing
import Training

extension FaultTests {
  /// Pictures in a tar archive are those of the folder that it was made of.
  @Suite("Archives", .long) struct Archives {
    private static let packed = ["data.train.img_prefix=data/train.tar", "data.val.img_prefix=data/both.tar/val"]

    private func packedRun() throws -> TinyRun {
      let run = try TinyRun()
      try tar(run, ["-C", "data/train", "-cf", "data/train.tar", "."])
      try tar(run, ["-C", "data", "-cf", "data/both.tar", "train", "val"])
      return run
    }

    private func tar(_ run: TinyRun, _ arguments: [String]) throws {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["tar"] + arguments
      process.currentDirectoryURL = URL(fileURLWithPath: run.folder.root)
      process.standardInput = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      try #require(process.terminationStatus == 0, "tar \(arguments)")
    }

    @Test("A run from an archive, stopped and resumed on other ranks, is the run from the folder, bit by bit")
    func sameRun() throws {
      let run = try packedRun()
      let exact = ["mpi.reduction=exact", "evaluation={interval: 8, by_epoch: false}"]
      let plain = try run.train("plain", ranks: 1, batch: 6, iterations: 8, options: exact)
      try run.train("packed", ranks: 2, batch: 6, iterations: 5, options: exact + Self.packed)
      // Nothing is left of the pictures but their archives.
      for name in ["train", "val"] { try FileManager.default.removeItem(atPath: run.folder.path("data/\(name)")) }
      let packed = try run.train(
        "packed", ranks: 3, batch: 6, iterations: 8, options: exact + Self.packed, arguments: ["--resume", "auto"])
      let (one, other) = (try run.checkpoint("plain/latest.h5"), try run.checkpoint("packed/latest.h5"))
      #expect(!one.model.isEmpty && one.model.map(\.values) == other.model.map(\.values))
      #expect(!plain.validations.isEmpty && plain.validations.count == packed.validations.count)
      for key in ["bbox_mAP", "bbox_mAP_50"] {
        #expect(plain.validations.map { $0[key] } == packed.validations.map { $0[key] })
      }
    }

    @Test("An archive that lacks a picture, is cut short or is compressed ends check, dry run, training and test alike")
    func whatIsWrong() throws {
      let run = try packedRun()
      try run.train("good", ranks: 1, batch: 2, iterations: 1)
      let missing = try #require(run.folder.names(in: "data/val").first)
      let id = try #require(Int(missing.prefix { $0 != "." }))
      try tar(run, ["-f", "data/both.tar", "--delete", "val/\(missing)"])
      let archive = try run.folder.read("data/train.tar")
      let half = archive.prefix(archive.count / 2)
      try Data(half).write(to: URL(fileURLWithPath: run.folder.path("data/half.tar")))
      try tar(run, ["-C", "data/train", "-czf", "data/train.tgz", "."])
      let cases: [(prefix: String, code: Int32, words: String)] = [
        ("data/both.tar/val", 66, "of 6 pictures 1 not there:\n  image \(id): data/both.tar:val/\(missing)"),
        ("data/half.tar", 65, "data/half.tar: error: the archive is cut short: "),
        ("data/train.tgz", 65, "make one with 'gunzip -k data/train.tgz'"),
      ]
      let train = run.command("work", ranks: 1, batch: 2, iterations: 1, options: ["evaluation={interval: 1}"])
      for (prefix, code, words) in cases {
        let section = prefix.contains("val") ? ["val", "test"] : ["train"]
        let options = section.map { "data.\($0).img_prefix=\(prefix)" }
        var commands = [["check", "tiny.yaml", "--cfg-options"], train + ["--dry-run"], train]
        if prefix.contains("val") { commands.append(["test", "tiny.yaml", "good/latest.h5", "--cfg-options"]) }
        commands = commands.map { command in
          command.filter { $0 != "--dry-run" } + options + command.filter { $0 == "--dry-run" }
        }
        for command in commands {
          let outcome = try run.program.run(command)
          #expect(outcome.code == code && outcome.errors.contains(words), "\(command): \(outcome)")
        }
        let ranks = try run.program.run(train + options, ranks: 2)
        #expect(ranks.code == code && ranks.errors.components(separatedBy: words).count == 2, "\(prefix): \(ranks)")
      }
    }
  }
}
