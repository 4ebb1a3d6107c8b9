import Foundation
import Testing

extension FaultTests {
  /// Limits of addresses and of threads: a run trains, or one sentence says what is missing and it ends with 74. Without
  /// that it would wait for ever, deaf to signals.
  @Suite("Little memory, few threads") struct LittleMemoryTests {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    /// In KiB.
    private static let limits = [600_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000]

    private func alone(_ iterations: Int) -> [String] {
      run.command("wd", ranks: 1, batch: 2, iterations: iterations) + ["--single-rank", "--no-validate"]
    }

    private func expectTrainedOrSaid(_ outcome: Outcome, _ sentences: [String] = ["error: "]) {
      if outcome.code == 0 {
        #expect(run.folder.exists("wd/iter_2.h5"), "\(outcome)")
      } else {
        #expect(outcome.code == 74 && outcome.signal == nil, "\(outcome)")
        #expect(sentences.contains { outcome.errors.contains($0) }, "\(outcome)")
      }
    }

    @Test("A run and a prediction under a limit of addresses", arguments: limits) func addresses(limit: Int) throws {
      // What the libraries take differs from system to system: the least limit may be too low for them.
      let trained = try run.program.run(alone(2), shell: "ulimit -v \(limit)")
      expectTrainedOrSaid(trained)
      guard limit > Self.limits[0] else { return }
      try #require(trained.code == 0, "\(trained)")
      let picture = try #require(try run.folder.names(in: "data/val").first)
      let predicted = try run.program.run(
        ["predict", "tiny.yaml", "wd/iter_2.h5", "data/val/\(picture)"], shell: "ulimit -v \(limit)")
      #expect(predicted.code == 0, "\(predicted)")
    }

    /// With less than the first the loader can't map the libraries.
    @Test("Too few addresses are said", arguments: [200_000, 250_000, 350_000, 450_000]) func tooFew(limit: Int) throws
    {
      expectTrainedOrSaid(try run.program.run(alone(2), shell: "ulimit -v \(limit)"))
    }

    @Test("Ranks and their threads under a limit of addresses, or of data", arguments: ["-v 2000000", "-d 1500000"])
    func ranks(limit: String) throws {
      let command = run.command("wd", ranks: 2, batch: 2, iterations: 2, options: ["mpi.threads_per_rank=2"])
      let outcome = try run.program.run(command, ranks: 2, shell: "ulimit \(limit)")
      #expect(outcome.code == 0 && run.folder.exists("wd/iter_2.h5"), "\(outcome)")
    }

    @Test("TERM ends a run under a limit of addresses") func termination() throws {
      let running = try run.program.start(alone(1_000_000), shell: "ulimit -v 1000000")
      try running.wait { running.output.contains(" - Epoch [1][1/") }
      running.send(SIGTERM)
      let outcome = try running.wait()
      #expect(outcome.code == 75, "\(outcome)")
    }

    /// All processes of the user count.
    @Test("A thread that can't be started is said", .enabled(if: geteuid() != 0, "root has no limit of processes"))
    func threads() throws {
      let outcome = try run.program.run(alone(2), shell: "ulimit -u 1")
      #expect(outcome.code == 74, "\(outcome)")
      #expect(outcome.errors.contains("error: the system can't start the thread"), "\(outcome)")
    }
  }
}
