import Foundation
import Testing
import Training

extension ProgramTests {
  @Suite("Commands") struct Commands {
    @Test("Test mode without MPI gives what 3 ranks give, to the last digit; predict and inspect work")
    func testMode() throws {
      let run = try TinyRun()
      try run.train("trained", ranks: 2, batch: 8, iterations: 12)
      let test = ["test", "tiny.yaml", "trained/latest.h5", "--classwise"]
      let options = ["--cfg-options", "model.test_cfg.rcnn.score_thr=0.001"]
      let alone = try run.program.succeed(test + ["--single-rank", "--out", "alone.json"] + options)
      let three = try run.program.succeed(test + ["--out", "three.json"] + options, ranks: 3)
      #expect(alone.output.contains("Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ]"))
      #expect(alone.output.contains("bbox_mAP: "))
      #expect(three.output == alone.output)
      #expect(try run.folder.read("alone.json") == run.folder.read("three.json"))
      let detections = try JSONSerialization.jsonObject(with: Data(run.folder.read("alone.json"))) as? [[String: Any]]
      #expect((detections ?? []).count > 6)
      #expect(Set((detections ?? []).compactMap { $0["image_id"] as? Int }).count == 6, "a picture has no detection")

      let picture = try #require(run.folder.names(in: "data/val").first)
      let predict = ["predict", "tiny.yaml", "trained/latest.h5", "data/val/\(picture)", "--out-dir", "seen"]
      try run.program.succeed(predict + ["--score-thr", "0.01"])
      #expect(try run.folder.names(in: "seen").count == 2)
      let inspect = try run.program.succeed(["inspect", "trained/latest.h5"])
      #expect(inspect.output.contains("  backbone.conv1.weight [8, 3, 7, 7]"))
    }

    @Test("Test mode says once what is wrong with the data")
    func testModeWithoutData() throws {
      let run = try TinyRun()
      try run.train("trained", ranks: 1, batch: 2, iterations: 1)
      let test = ["test", "tiny.yaml", "trained/latest.h5", "--cfg-options", "data.test.ann_file=none.json"]
      let outcome = try run.program.run(test, ranks: 2)
      #expect(outcome.code == 66)
      #expect(outcome.errors.components(separatedBy: "error: ").count == 2, "\(outcome)")
      #expect(outcome.errors.contains("none.json: error: the file does not exist"), "\(outcome)")
    }

    @Test("check and --dry-run say what a run would be, and train nothing")
    func looking() throws {
      let run = try TinyRun()
      let check = try run.program.succeed(["check", "tiny.yaml"])
      #expect(check.output.contains(" of 22 images"))
      // Paths of one letter are paths like others.
      try FileManager.default.copyItem(atPath: run.folder.path("tiny.yaml"), toPath: run.folder.path("c"))
      #expect(try run.program.succeed(["check", "c"]).output.contains(" of 22 images"))
      let command = run.command("dry", ranks: 2, batch: 4, iterations: 10) + ["--dry-run"]
      let dry = try run.program.succeed(command, ranks: 2)
      #expect(dry.output.contains("ranks: 2, threads a rank: 1, images a rank: 2, global batch: 4"))
      #expect(dry.output.contains("batch 3: images "))
      #expect(!run.folder.exists("dry"))
    }

    @Test("doctor looks at a machine alone and under mpirun, and leaves nothing behind")
    func doctor() throws {
      let program = Program(folder: try TemporaryFolder())
      let alone = try program.succeed(["doctor", "--work-dir", "work"])
      let lines = alone.output.split(separator: "\n").map { $0.dropFirst(9) }
      let topics = ["cores", "threads", "quota", "open files", "/dev/shm", "copies", "writing", "MPI", "HDF5"]
      for topic in topics { #expect(lines.count { $0.hasPrefix("\(topic) ") } == 1, "\(topic): \(alone)") }
      #expect(alone.output.contains(", 1 rank\n"))
      let three = try program.succeed(["doctor", "--work-dir", "work", "--json"], ranks: 3)
      let findings = try #require(
        try JSONSerialization.jsonObject(with: Data(three.output.utf8)) as? [[String: Any]])
      #expect(Set(topics).isSubset(of: Set(findings.compactMap { $0["topic"] as? String })))
      #expect(findings.contains { ($0["text"] as? String)?.contains("its share among the 3 ranks here") == true })
      #expect(!program.folder.exists("work"))
    }

    @Test("Help everywhere, once under mpirun too")
    func help() throws {
      let program = Program(folder: try TemporaryFolder())
      for command in [
        [], ["train"], ["test"], ["predict"], ["inspect"], ["check"], ["weights"], ["doctor"], ["shapes"],
      ] {
        let outcome = try program.succeed(command + ["--help"])
        #expect(outcome.output.contains("USAGE: rcnn-train"))
      }
      let outcome = try program.succeed(["--help"], ranks: 2)
      #expect(outcome.output.components(separatedBy: "USAGE: rcnn-train").count == 2, "\(outcome)")
    }

    @Test("mmdetection's options are taken, or answered with what to do instead; a misspelt command is guessed")
    func foreignWords() throws {
      let run = try TinyRun()
      func errors(_ arguments: [String]) throws -> String {
        let outcome = try run.program.run(arguments)
        #expect(outcome.code == 64, "\(arguments): \(outcome)")
        return outcome.errors
      }
      #expect(try errors(["tarin"]).contains("did you mean 'rcnn-train train'?"))
      for (word, text) in [
        ("--format-only", "'test --out detections.json' writes"), ("--show-dir=seen", "rcnn-train predict CONFIG"),
        ("--eval-options", "--classwise"), ("--fuse-conv-bn", "always folded"),
      ] {
        let said = try errors(["test", "tiny.yaml", "work", word])
        #expect(said.contains("\(word.prefix { $0 != "=" }) is mmdetection's: ") && said.contains(text), "\(said)")
      }
      #expect(try errors(["train", "tiny.yaml", "--gpus", "8"]).contains("there are no GPUs"))
      #expect(try errors(["train", "tiny.yaml", "--launcher", "pytorch"]).contains("'pytorch'"))

      // The interval of the log is longer than the epoch of 11 steps, and the run ends within its second.
      let log = try run.train(
        "work", ranks: 1, batch: 2, iterations: 12, options: ["log_config.interval=50"],
        arguments: ["--no-validate", "--launcher", "mpi"])
      #expect(log.steps.map { $0["iter"] } == [11], "\(log.steps)")
      try run.program.succeed(
        run.command("work", ranks: 1, batch: 2, iterations: 13) + ["--resume-from", "work/latest.h5"])
      let outcome = try run.program.succeed(["test", "tiny.yaml", "work", "--launcher", "none", "--eval", "bbox"])
      #expect(outcome.output.contains("Average Precision"), "\(outcome)")
      try run.folder.write("a file", to: "taken")
      let taken = try run.program.run(run.command("taken", ranks: 1, batch: 2, iterations: 1))
      #expect(taken.code == 74 && taken.errors.contains("taken: error: "), "\(taken)")
      #expect(taken.errors.contains("ot a directory") && taken.errors.contains("--work-dir"), "\(taken)")
    }

    @Test("With no arguments it makes the shapes and trains the quickstart")
    func quickstart() throws {
      let program = Program(folder: try TemporaryFolder())
      let options = ["--no-validate", "--cfg-options", "runner.max_iters=1", "data.samples_per_gpu=1"]
      let outcome = try program.succeed(options, ranks: 2)
      #expect(outcome.output.contains("Writing the shapes data set to work_dirs/shapes"))
      #expect(program.folder.exists("work_dirs/quickstart/latest.h5"))
      let dry = try program.succeed(["--dry-run"])
      #expect(dry.output.contains("train: "), "\(dry)")
    }

    @Test("Under a foreign launcher it refuses to be many worlds of one")
    func foreignLauncher() throws {
      let run = try TinyRun()
      let command = run.command("foreign", ranks: 1, batch: 4, iterations: 1)
      let outcome = try run.program.run(command, environment: ["PMI_SIZE": "4"])
      #expect(outcome.code == 64)
      #expect(outcome.errors.contains("PMI_SIZE says that MPICH's or Intel MPI's mpiexec started 4 processes"))
      #expect(!run.folder.exists("foreign"))
    }
  }
}
