import Foundation
import Testing
import Training

extension FaultTests {
  @Suite("Signals") struct SignalTests {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    private func isLogging(_ running: RunningProgram) -> Bool { running.output.contains(" - Epoch [1][1/") }

    @Test("USR2 in the evaluation of a training stops all ranks, after saving", arguments: [2, 3])
    func evaluation(_ ranks: Int) throws {
      // An evaluation that would take minutes: a thousand pictures, which are links.
      try run.manyPictures(1000)
      let options = ["evaluation={interval: 1}", "data.val.ann_file=data/annotations/many.json"]
      let command = run.command("left", ranks: ranks, batch: 2 * ranks, iterations: 100_000, options: options)
      let running = try run.program.start(command, ranks: ranks)
      let steps = 22 / (2 * ranks)
      try running.wait { running.output.contains(" - Epoch [1][\(steps)/") }
      running.send(SIGUSR2)
      let outcome = try running.wait()
      #expect(outcome.code == 75, "\(outcome)")
      #expect(outcome.output.contains("Stopped by a signal after saving"), "\(outcome)")
      #expect(!outcome.output.contains("Average Precision"), "\(outcome)")
      #expect(try run.checkpoint("left/latest.h5").iteration >= steps)
    }

    @Test("Ctrl-C saves and stops; HUP, once said, does nothing") func interrupt() throws {
      let command = run.command("alone", ranks: 1, batch: 2, iterations: 100_000) + ["--single-rank"]
      let running = try run.program.start(command)
      try running.wait { isLogging(running) }
      running.send(SIGHUP)
      try running.wait { running.output.contains("The terminal or the connection to it is gone; the training goes on") }
      // Twice at once, as where a wrapper hands on what the terminal has sent to the process, too.
      running.send(SIGINT)
      running.send(SIGINT)
      let outcome = try running.wait()
      #expect(outcome.code == 75, "\(outcome)")
      #expect(try run.checkpoint("alone/latest.h5").iteration > 0)
    }

    @Test("A signal before MPI is up kills no rank", arguments: [SIGUSR1, SIGUSR2]) func early(_ signal: Int32) throws {
      // Rank 0 waits in MPI_Init for rank 1, which waits for the gate to be opened.
      #expect(mkfifo(run.folder.path("gate"), 0o600) == 0)
      let command = run.command("early", ranks: 2, batch: 4, iterations: 2)
      let running = try run.program.start(
        command, ranks: 2, shell: "[ \"$OMPI_COMM_WORLD_RANK\" = 0 ] || read -r open < gate")
      try running.wait { !running.ranksCatching(signal).isEmpty }
      for rank in running.ranksCatching(signal) { kill(rank, signal) }
      let gate = try #require(FileHandle(forWritingAtPath: run.folder.path("gate")))
      try gate.write(contentsOf: Data("open\n".utf8))
      let outcome = try running.wait()
      #expect(outcome.code == (signal == SIGUSR1 ? 0 : 75), "\(outcome)")
      #expect(run.folder.exists("early/latest.h5") == (signal == SIGUSR1))
    }

    @Test(
      "A command that does not train ends by a signal, with a word",
      arguments: [
        (SIGTERM, "TERM"), (SIGINT, "INT"), (SIGUSR2, "USR2"),
      ])
    func commands(_ signal: Int32, _ name: String) throws {
      // Work for minutes, which is not waited for.
      try run.train("short", ranks: 1, batch: 2, iterations: 1)
      try run.manyPictures(20_000)
      try run.manyLinks(10_000)
      let commands = [
        ["test", "tiny.yaml", "short", "--cfg-options", "data.test.ann_file=data/annotations/many.json"],
        ["predict", "tiny.yaml", "short", "data/links", "--out-dir", "seen"],
      ]
      for command in commands {
        let running = try run.program.start(command)
        try running.wait { running.catches(signal) }
        running.send(SIGUSR1)
        try running.wait { running.errors.contains("USR1 asks for a checkpoint, but nothing is being trained") }
        if command[0] == "predict" { try running.wait { running.output.contains(" object") } }
        running.send(signal)
        let outcome = try running.wait()
        #expect(outcome.signal == signal, "\(outcome)")
        #expect(outcome.errors.contains("rcnn-train: ended by a signal (\(name))\n"), "\(outcome)")
        guard command[0] == "predict" else { continue }
        // What was drawn until then is kept, and said in the file.
        let found = try Predictions("seen/predictions.json", in: run.folder)
        #expect(!found.images.isEmpty && found.images.count < 10_000)
        let drawn = try run.folder.names(in: "seen").filter { $0 != "predictions.json" }
        #expect(found.images.map(\.drawn) == drawn)
      }
    }

    @Test("keep brings a run to its end whose ranks are killed") func keep() throws {
      let options = ["checkpoint_config.interval=2", "checkpoint_config.by_epoch=false"]
      let arguments = Array(
        run.command("kept", ranks: 2, batch: 4, iterations: 30, options: options).dropFirst())
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("launch/keep").path
      let running = try RunningProgram(
        ["bash", script, "--pause", "0", "2"] + arguments, in: run.folder,
        environment: ["RCNN_TRAIN": Program.executable])
      try running.wait { run.folder.exists("kept/iter_2.h5") }
      running.killRanks()
      let outcome = try running.wait()
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.errors.contains("keep: done after 2 starts"), "\(outcome)")
      #expect(try run.checkpoint("kept/latest.h5").iteration == 30)
    }
  }
}

extension TinyRun {
  /// Fills `data/links` with links to one validation picture.
  fileprivate func manyLinks(_ count: Int) throws {
    let picture = try #require(folder.names(in: "data/val").first)
    try FileManager.default.createDirectory(atPath: folder.path("data/links"), withIntermediateDirectories: true)
    for number in 0..<count {
      symlink("../val/\(picture)", folder.path("data/links/\(100_000 + number).png"))
    }
  }

  /// Writes `data/annotations/many.json`: one validation picture, without objects, under many ids.
  fileprivate func manyPictures(_ count: Int) throws {
    let file = try JSONSerialization.jsonObject(with: Data(folder.read("data/annotations/instances_val.json")))
    var contents = try #require(file as? [String: Any])
    let image = try #require((contents["images"] as? [[String: Any]])?.first)
    contents["images"] = (1...count).map { id in image.merging(["id": id]) { $1 } }
    contents["annotations"] = [Any]()
    let text = String(decoding: try JSONSerialization.data(withJSONObject: contents), as: UTF8.self)
    try folder.write(text, to: "data/annotations/many.json")
  }
}
