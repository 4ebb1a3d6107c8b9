import Foundation
import TestSupport
import Testing

/// The scripts of `launch/` among stand-ins for mpirun, the program, Slurm and Swift, which take their parts from files
/// and write down what they were asked: no rule of theirs needs a run that fails by itself.
@Suite struct LaunchScriptTests {
  /// The stand-ins and the folder that they play in.
  private struct Stage {
    let folder: TemporaryFolder
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path

    /// - Parameters:
    ///   - codes: what mpirun ends with, start by start; "wait": when a signal comes.
    ///   - iterations: how far the checkpoints are then.
    init(codes: [String], iterations: [Int]) throws {
      folder = try TemporaryFolder()
      for name in ["bin", "work"] {
        try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
      }
      for (name, script) in Self.standIns { try install(name, script) }
      try folder.write(codes.joined(separator: "\n") + "\n", to: "codes")
      try folder.write(iterations.map { "\($0)\n" }.joined(), to: "iterations")
      try folder.write("0\n", to: "iteration")
    }

    func install(_ name: String, _ script: String) throws {
      try folder.write("#!/bin/bash\n\(script)\n", to: "bin/\(name)")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("bin/\(name)"))
    }

    func start(_ script: String, _ arguments: [String], _ environment: [String: String] = [:]) throws -> RunningProgram
    {
      let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
      let basics = [
        "PATH": "\(folder.path("bin")):\(path)", "RCNN_TRAIN": folder.path("bin/rcnn-train"), "SLURM_JOB_ID": "7",
        "SLURM_SUBMIT_DIR": Self.root, "SLURM_NTASKS": "2", "SLURM_CPUS_PER_TASK": "1",
      ]
      return try RunningProgram(
        ["bash", "\(Self.root)/launch/\(script)"] + arguments, in: folder,
        environment: basics.merging(environment) { $1 })
    }

    func run(_ script: String, _ arguments: [String], _ environment: [String: String] = [:]) throws -> Outcome {
      try start(script, arguments, environment).wait()
    }

    /// What the stand-ins were asked, mpirun by the last of its words.
    var calls: [String] {
      let text = (try? String(contentsOfFile: folder.path("calls"), encoding: .utf8)) ?? ""
      return text.split(separator: "\n").map(String.init)
    }

    private static let standIns = [
      "mpirun": """
      start=$(($(cat starts 2> /dev/null || echo 0) + 1))
      echo $start > starts
      code=$(sed -n "${start}p" codes)
      trap 'echo "mpirun got USR2" >> calls; exit 75' USR2
      trap 'echo "mpirun got USR1" >> calls' USR1
      trap 'echo "mpirun got TERM" >> calls; exit 1' TERM
      sed -n "${start}p" iterations > iteration
      echo "start ${*: -3}" >> calls
      [ "$code" = wait ] || exit "$code"
      while :; do /bin/sleep 0.02; done
      """,
      "rcnn-train": """
      case "$1 $*" in
        "check "*" --print-config "*) printf "model: x\\nwork_dir: 'work'\\n" ;;
        "inspect "*) echo "epoch 1, iter $(cat iteration), 2 ranks, global batch 4, seed 0" ;;
      esac
      """,
      "sleep": """
      case $1 in 0.*) exec /bin/sleep "$1" ;; esac
      echo "sleep $1" >> calls
      [ ! -e nap ] || exec /bin/sleep 600
      """,
      "scontrol": "echo \"scontrol $*\" >> calls",
      "squeue": "cat state 2> /dev/null || echo RUNNING",
    ]
  }

  private let start = "start c.yaml --resume auto"

  @Test(
    "An mpirun that waits for a lost host when its own ranks are gone is ended, and the run started again",
    .enabled(if: areInstalled("pgrep"), "pgrep is not installed"))
  func forsakenLauncher() throws {
    let stage = try Stage(codes: ["x", "0"], iterations: [10, 20])
    try stage.install(
      "mpirun",
      """
      echo "start" >> calls
      [ "$(wc -l < calls)" = 1 ] || exit 0
      echo 10 > iteration
      rcnn-train rank &
      while :; do /bin/sleep 0.1; done
      """)
    try stage.install("rcnn-train", #"case $1 in rank) /bin/sleep 2 ;; inspect) echo "epoch 1, iter 10, x" ;; esac"#)
    let outcome = try stage.run(
      "keep", ["--pause", "0", "2", "c.yaml", "--work-dir", "work"], ["between_looks": "0.1"])
    #expect(outcome.code == 0, "\(outcome)")
    #expect(outcome.errors.contains("it waits for a host that is gone, and is ended"), "\(outcome)")
    #expect(stage.calls.count { $0 == "start" } == 2, "\(stage.calls)")
  }

  @Test func keepStartsAgainAtOnceOrAfterAPauseThatGrows() throws {
    let stage = try Stage(codes: ["75", "137", "76", "74", "1", "0"], iterations: [5, 7, 9, 10, 11, 12])
    let outcome = try stage.run("keep", ["2", "c.yaml"])
    #expect(outcome.code == 0, "\(outcome)")
    #expect(
      stage.calls == [start, start, "sleep 10", start, "sleep 20", start, "sleep 40", start, "sleep 80", start])
    for text in [
      "75: stopped after saving, at iteration 5: starting again\n", "76: ended by the watchdog", "after 6 starts",
    ] {
      #expect(outcome.errors.contains(text), "\(outcome)")
    }
  }

  @Test(arguments: [64, 65, 66, 70, 78, 127]) func keepLeavesWhatAnotherStartCannotMend(_ code: Int32) throws {
    let stage = try Stage(codes: ["\(code)", "0"], iterations: [5, 6])
    let outcome = try stage.run("keep", ["2", "c.yaml"])
    #expect(outcome.code == code && stage.calls == [start], "\(outcome)")
    #expect(outcome.errors.contains("another start would end in the same way"))
  }

  @Test(arguments: ["75", "74", "137"]) func keepGivesUpWhereTheRunGetsNoFurther(_ code: String) throws {
    let stage = try Stage(codes: [code, code, "0"], iterations: [5, 5, 6])
    let outcome = try stage.run("keep", ["--pause", "0", "2", "c.yaml"])
    #expect("\(outcome.code)" == code && stage.calls.filter { $0 == start }.count == 2, "\(outcome)")
    #expect(outcome.errors.contains("at iteration 5 as the time before: given up"), "\(outcome)")
  }

  @Test(arguments: [SIGTERM, SIGINT, SIGUSR2]) func keepLetsItSaveAndStopsForGood(_ signal: Int32) throws {
    let stage = try Stage(codes: ["wait", "0"], iterations: [5, 6])
    let running = try stage.start("keep", ["2", "c.yaml"])
    try running.wait { stage.calls == [start] }
    running.send(SIGUSR1)
    try running.wait { stage.calls.last == "mpirun got USR1" }
    running.send(SIGHUP)
    try running.wait { running.errors.contains("keep: the terminal is gone; the run goes on\n") }
    running.send(signal)
    let outcome = try running.wait()
    #expect(outcome.code == 75, "\(outcome)")
    #expect(stage.calls == [start, "mpirun got USR1", "mpirun got USR2"])
    #expect(outcome.errors.contains("keep: stopped as asked (75: stopped after saving)\n"), "\(outcome)")
  }

  @Test func keepStopsInAPauseToo() throws {
    let stage = try Stage(codes: ["74", "0"], iterations: [5, 6])
    try stage.folder.write("", to: "nap")
    let running = try stage.start("keep", ["2", "c.yaml"])
    try running.wait { stage.calls.contains("sleep 10") }
    running.send(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.code == 74 && stage.calls == [start, "sleep 10"], "\(outcome)")
  }

  @Test func aSecondRequestEndsItAtOnce() throws {
    let stage = try Stage(codes: ["wait"], iterations: [5])
    // An mpirun that takes its time to save.
    try stage.install(
      "mpirun",
      """
      trap 'echo "mpirun got USR2" >> calls' USR2
      trap 'echo "mpirun got TERM" >> calls; exit 143' TERM
      echo start >> calls
      while :; do /bin/sleep 0.02; done
      """)
    let running = try stage.start("keep", ["2", "c.yaml"])
    try running.wait { stage.calls == ["start"] }
    running.send(SIGINT)
    try running.wait { stage.calls.last == "mpirun got USR2" }
    running.send(SIGINT)
    #expect(try running.wait().code == 143)
  }

  @Test func keepSaysWhatItCannotDo() throws {
    let stage = try Stage(codes: [], iterations: [])
    for arguments in [[], ["2"], ["x", "c.yaml"], ["--pause", "x", "2", "c.yaml"]] {
      let outcome = try stage.run("keep", arguments)
      #expect(outcome.code == 64 && outcome.errors.contains("usage: "), "\(outcome)")
    }
    let outcome = try stage.run("keep", ["2", "c.yaml", "--resume", "x.h5"])
    #expect(outcome.code == 64 && outcome.errors.contains("leave --resume away"), "\(outcome)")
    try stage.install("rcnn-train", "echo 'c.yaml: error: no such file' >&2; exit 66")
    let missing = try stage.run("keep", ["2", "c.yaml"])
    #expect(missing.code == 66 && missing.errors.contains("c.yaml: error: no such file"), "\(missing)")
    #expect(stage.calls.isEmpty)
  }

  @Test func slurmRequeuesWhatStoppedAfterSaving() throws {
    let stage = try Stage(codes: ["wait"], iterations: [5])
    let running = try stage.start("slurm.sbatch", ["c.yaml"])
    try running.wait { stage.calls == [start] }
    running.send(SIGUSR1)
    let outcome = try running.wait()
    #expect(outcome.code == 75 && stage.calls == [start, "mpirun got USR2", "scontrol requeue 7"], "\(outcome)")
  }

  @Test func slurmRequeuesAfterAPauseUntilItGetsNoFurther() throws {
    let stage = try Stage(codes: ["137", "76", "74", "0"], iterations: [5, 6, 6, 7])
    for (count, code) in [(0, Int32(137)), (1, 76), (2, 74)] {
      let outcome = try stage.run("slurm.sbatch", ["c.yaml"], ["SLURM_RESTART_COUNT": "\(count)"])
      #expect(outcome.code == code, "\(outcome)")
    }
    #expect(
      stage.calls == [
        start, "sleep 30", "scontrol requeue 7", start, "sleep 60", "scontrol requeue 7", start,
      ])
    // A new job of the same work directory has its own count.
    #expect(try stage.run("slurm.sbatch", ["c.yaml"]).code == 0)
    #expect(!stage.folder.exists("work/.slurm_iteration"))
  }

  @Test(arguments: [64, 65, 66, 70, 78, 0]) func slurmLeavesWhatIsDoneOrHopeless(_ code: Int32) throws {
    let stage = try Stage(codes: ["\(code)"], iterations: [5])
    let outcome = try stage.run("slurm.sbatch", ["c.yaml"])
    #expect(outcome.code == code && stage.calls == [start], "\(outcome)")
  }

  @Test func slurmStaysOutOfTheQueueAfterScancel() throws {
    let stage = try Stage(codes: ["wait", "74", "143"], iterations: [5, 6, 7])
    let running = try stage.start("slurm.sbatch", ["c.yaml"])
    try running.wait { stage.calls == [start] }
    running.send(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.code == 75 && stage.calls == [start, "mpirun got USR2"], "\(outcome)")
    #expect(outcome.errors.contains("cancelled, so not back into the queue"), "\(outcome)")

    // It reached mpirun alone, and the batch script later or never.
    try stage.folder.write("CANCELLED\n", to: "state")
    for _ in 0..<2 {
      let killed = try stage.run("slurm.sbatch", ["c.yaml"])
      #expect(killed.errors.contains("the job is CANCELLED, so not back into the queue"), "\(killed)")
    }
    #expect(!stage.calls.contains("scontrol requeue 7"))
  }

  @Test(arguments: [
    ("echo 'libstdc++.so.6: cannot open' >&2; exit 127", "does not start (code 127): libstdc++.so.6: cannot open"),
    ("kill -SEGV $$", "does not start (code 139): it says nothing"),
    ("echo 'Swift version 5.9.2'", "Swift 6 is needed, this is Swift 5"),
    ("echo nonsense", "Swift 6 is needed, this is Swift of an unknown version (nonsense)"),
    ("case $1 in --version) echo 'Swift version 6.1' ;; *) exit 3 ;; esac", "swift build"),
  ]) func setupNeverEndsWithoutAWord(_ swift: String, _ words: String) throws {
    let stage = try Stage(codes: [], iterations: [])
    try stage.install("swift", swift)
    let outcome = try stage.run("setup", [])
    #expect(outcome.code != 0, "\(outcome)")
    let messages = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("launch: error: ") }
    #expect(messages.count == 1 && messages[0].contains(words), "\(outcome)")
  }
}
