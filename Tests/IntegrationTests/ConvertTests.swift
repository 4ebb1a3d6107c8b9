import Foundation
import Testing

extension ProgramTests {
  @Suite("Weights in and out") struct Weights {
    @Test("convert goes from format to format, and says what it can't") func convert() throws {
      let run = try TinyRun()
      try run.train("trained", ranks: 1, batch: 2, iterations: 1)
      let there = try run.program.succeed(["convert", "trained", "w.pth"])
      #expect(there.output.contains("the newest good checkpoint in it is trained/iter_1.h5"), "\(there)")
      #expect(there.output.contains("w.pth: the momenta of the optimizer and the position in the training stay behind"))
      try run.program.succeed(["convert", "w.pth", "w.safetensors"])
      try run.program.succeed(["convert", "w.safetensors", "w.h5"])
      try run.program.succeed(["convert", "w.h5", "again.pth"])
      #expect(try run.folder.read("again.pth").count == run.folder.read("w.pth").count)
      let inspect = try run.program.succeed(["inspect", "w.safetensors"])
      #expect(inspect.output.contains("  backbone.conv1.weight [8, 3, 7, 7]"))

      let unknown = try run.program.run(["convert", "w.pth", "w.onnx"])
      #expect(unknown.code == 64 && unknown.errors.contains("w.onnx: error: this name says no format"), "\(unknown)")
      let other = try run.program.run(["convert", "w.pth", "o.pth", "--names", "torchvision"])
      #expect(other.code == 65 && other.errors.contains("has no place in torchvision's Faster R-CNN"), "\(other)")
    }

    /// Cut behind the numbers: it has no checksum, so that a child process reads it, which is no rank.
    @Test("A checkpoint without our checksum is read by a child, also under mpirun") func child() throws {
      let run = try TinyRun()
      try run.train("trained", ranks: 1, batch: 2, iterations: 1)
      let bytes = try run.folder.read("trained/iter_1.h5")
      try Data(bytes.dropLast(16)).write(to: URL(fileURLWithPath: run.folder.path("bare.h5")))
      let test = ["test", "tiny.yaml", "bare.h5"]
      let outcome = try run.program.succeed(test, ranks: 2)
      #expect(try outcome.output == run.program.succeed(["test", "tiny.yaml", "trained/iter_1.h5"]).output)
      try Data(bytes.dropLast(bytes.count / 2)).write(to: URL(fileURLWithPath: run.folder.path("cut.h5")))
      let cut = try run.program.run(["test", "tiny.yaml", "cut.h5"], ranks: 2)
      #expect(cut.code == 65, "\(cut)")
      #expect(cut.errors.contains("cut.h5: error: the checkpoint is damaged: it was cut off"), "\(cut)")
    }

    @Test("An address is looked for, and what to fetch is said") func address() throws {
      let run = try TinyRun()
      let command = run.command("none", ranks: 1, batch: 2, iterations: 1, options: ["mpi.weights_dir=mine"])
      let outcome = try run.program.run(command + ["--load-from", "https://host/w-00000000.pth"])
      #expect(outcome.code == 66, "\(outcome)")
      #expect(outcome.errors.contains("load_from: error: 'https://host/w-00000000.pth' is not on this machine, and"))
      #expect(outcome.errors.contains("and put it into mine, or name a file of your own"), "\(outcome)")
    }

    @Test("Damaged files end in a reading or a sentence", arguments: ["", "weights.safetensors", "by_hand.h5"])
    func damaged(_ file: String) throws {
      let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
      let files =
        file.isEmpty
        ? ["Goldens/tiny_bare_state_dict.pth", "TrainingTests/Fixtures/mmdetection3_legacy.pth"]
        : ["TrainingTests/Fixtures/\(file)"]
      let fuzz = ["fuzz", "--json", "--count", file == "by_hand.h5" ? "40" : "2000"] + files.map { "\(tests)/\($0)" }
      let folder = try TemporaryFolder()
      let program = Program.executable.replacing(/rcnn-train$/, with: "rcnn-bench")
      let running = try RunningProgram([program] + fuzz, in: folder, environment: [:])
      let outcome = try withExtendedLifetime(folder) { try running.wait() }
      #expect(outcome.code == 0 && outcome.output.contains("\"refused\": "), "\(outcome)")
    }
  }
}
