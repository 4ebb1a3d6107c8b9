import Foundation
import Testing

extension ProgramTests {
  /// The forms of `rcnn-bench`; how fast anything is, no test asks.
  @Suite("Benchmarks", .long) struct Benchmarks {
    private func bench(_ arguments: [String], ranks: Int? = nil) throws -> Outcome {
      let program = Program.executable.replacing(/rcnn-train$/, with: "rcnn-bench")
      let launcher = ranks.map { ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "\($0)"] } ?? []
      let folder = try TemporaryFolder()
      let running = try RunningProgram(launcher + [program] + arguments, in: folder, environment: [:])
      return try withExtendedLifetime(folder) { try running.wait() }
    }

    private func lines(_ outcome: Outcome) throws -> [[String: Any]] {
      try #require(outcome.code == 0, "\(outcome)")
      return try outcome.output.split(separator: "\n").map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
      }
    }

    private func number(_ fields: [String: Any], _ name: String) throws -> Double {
      try #require((fields[name] as? NSNumber)?.doubleValue, "no number \(name) in \(fields)")
    }

    @Test("A plan follows its formulas") func plan() throws {
      let arguments =
        "plan --json --step-seconds 1 --backward-seconds 0.5 --floats 2621440 --node-gbps 1.048576 --ranks-per-node 4 "
        + "--bucket-mb 1 --in-flight 5 --polls 4 --latency-us 1000 --link-efficiency 0.5 --deviation 0.1 --links 8,0.08 "
        + "--ranks 1,2,16"
      let plans = try lines(bench(arguments.split(separator: " ").map(String.init)))
      // 10 MiB take 0.01 s at the node's rate. Over 4 nodes: 1.5 · 10 MiB at 0.5 · 1 GB/s, and 2 · 8 rounds of 1 ms; 20 of
      // the 80 rounds of all buckets are polled.
      let slowest = [2.0, 16].map { 0.1 * (2 * log($0)).squareRoot() }
      let network = 1.5 * 10_485_760 / 0.5e9 + 0.016
      let slow = 1.5 * 10_485_760 / 0.5e7 + 0.016
      let expected: [(step: Double, exchange: Double, waited: Double)] = [
        (1, 0, 0), (1 + slowest[0] + 0.01, 0.01, 0),
        (1 + slowest[1] + 0.015 + 0.75 * network, 0.015 + network, 0.75 * network),
        (1, 0, 0), (1 + slowest[0] + 0.01, 0.01, 0),
        (1 + slowest[1] + 0.015 + slow - 0.5, 0.015 + slow, slow - 0.5),
      ]
      try #require(plans.count == expected.count)
      for (plan, expected) in zip(plans, expected) {
        #expect(abs(try number(plan, "step_seconds") - expected.step) < 2e-5, "\(plan)")
        #expect(abs(try number(plan, "exchange_seconds") - expected.exchange) < 2e-5, "\(plan)")
        let hidden = expected.exchange > 0 ? 1 - expected.waited / expected.exchange : 1
        #expect(abs(try number(plan, "hidden") - hidden) < 1e-3, "\(plan)")
        #expect(abs(try number(plan, "efficiency") - 1 / expected.step) < 1e-3, "\(plan)")
      }
    }

    @Test("An exchange is timed for each size, in flight and in one call") func allreduce() throws {
      let arguments = ["allreduce", "--json", "--floats", "10001", "--bucket-mb", "0.005,1", "--in-flight", "1,3"]
      let results = try lines(bench(arguments + ["--rounds", "2"], ranks: 2))
      #expect(results.map { ($0["bucket_mib"] as? NSNumber)?.doubleValue } == [0.005, 0.005, 1, 1, nil])
      for result in results {
        #expect(try number(result, "seconds") > 0)
        #expect(try number(result, "ranks") == 2)
      }
      let alone = try bench(arguments)
      #expect(alone.code == 64)
      #expect(alone.errors == "error: one rank has nothing to exchange; start it with 'mpirun -np 2'\n")
    }

    @Test("Steps on what the loader gives are compared with steps on a repeated batch") func loader() throws {
      let options = "loader --steps 1 --rounds 2 --size 64x64 --images 3 --step-threads 1 --json"
      let fields = try #require(try lines(bench(options.split(separator: " ").map(String.init), ranks: 2)).first)
      let names = [
        "ratio", "ratio_min", "ratio_max", "processor_ratio", "step_seconds", "repeated_step_seconds", "data_seconds",
      ]
      for name in names {
        #expect(try number(fields, name) > 0)
      }
      #expect(try number(fields, "ranks") == 2 && number(fields, "rounds") == 2)
    }

    @Test("A save is timed beside the training and while it waits") func save() throws {
      let run = try TinyRun()
      let options = ["save", "--size", "64x64", "--batch", "1", "--steps", "1", "--rounds", "1", "--json"]
      let results = try lines(bench(options + ["--config", run.folder.path("tiny.yaml")]))
      #expect(results.map { $0["beside"] as? Bool } == [false, true])
      for result in results {
        #expect(try number(result, "blocked_seconds") > 0)
        #expect(try number(result, "bytes") > 100_000)
      }
      #expect(try number(results[0], "slowed_seconds") == 0)
    }

    @Test("A step has the agreed fields, and a peer is compared with it") func step() throws {
      let options = ["step", "--size", "64x64", "--steps", "1", "--threads", "1", "--json"]
      let fields = try #require(try lines(bench(options, ranks: 2)).first)
      for name in [
        "images_per_second", "step_seconds", "step_seconds_min", "forward_seconds", "backward_seconds", "sync_seconds",
        "peak_rss_mib", "gemm_gflops",
      ] {
        #expect(try number(fields, name) > 0)
      }
      #expect(try number(fields, "ranks") == 2)
      #expect(try number(fields, "threads") == 1)
      #expect((0...1).contains(try number(fields, "sync_hidden")))
      let peer = "echo starting; echo '{\"images_per_second\": 0.5, \"peak_rss_mib\": 1}'; echo done"
      let ratio = try #require(try lines(bench(options + ["--rounds", "1", "--peer", peer])).first)
      let pair = try #require((ratio["images_per_second"] as? [[Double]])?.first)
      #expect(pair[1] == 0.5)
      #expect(abs(try number(ratio, "ratio") - pair[0] / 0.5) < 1e-3)
      #expect(try number(ratio, "memory_ratio") > 10)
      let silent = try bench(options + ["--rounds", "1", "--peer", "echo nothing"])
      #expect(silent.code == 65)
      #expect(silent.errors == "error: the peer printed no line of JSON with 'images_per_second'\n")
    }
  }
}
