import Foundation
import Testing
import Training

extension FaultTests {
  /// Two ranks that were started for different jobs.
  @Suite("One job") struct OneJob {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    /// Each rank with arguments of its own. (`mpirun -np 1 … : -np 1 …` crashes in Open MPI 5.0.7.)
    private func start(_ first: [String], _ second: [String]) throws -> Outcome {
      let commands = [first, second].map { arguments in
        ([Program.executable] + arguments).map { "'\($0)'" }.joined(separator: " ")
      }
      let choice = "case $OMPI_COMM_WORLD_RANK in 0) exec \(commands[0]) ;; *) exec \(commands[1]) ;; esac"
      let launcher = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "2"]
      return try RunningProgram(launcher + ["bash", "-c", choice], in: run.folder, environment: [:]).wait()
    }

    private func expect(_ outcome: Outcome, _ sentence: String) {
      let host = ProcessInfo.processInfo.hostName
      let sentence = sentence.replacing("rank 0", with: "rank 0 (\(host))").replacing(
        "rank 1", with: "rank 1 (\(host))")
      #expect(outcome.code == 78, "\(outcome)")
      #expect(outcome.errors.contains("error: the ranks are not of one job: \(sentence); start all"), "\(outcome)")
      #expect(outcome.errors.components(separatedBy: "error: ").count == 2, "\(outcome)")
    }

    /// What the second rank has instead of the first's, and the key that is named.
    static let differences: [(first: [String], second: [String], sentence: String)] = [
      (
        ["checkpoint_config.interval=1"], ["checkpoint_config.interval=2"],
        "'checkpoint_config.interval' is 2 on rank 1 and 1 on rank 0"
      ),
      (["runner.max_iters=2"], ["runner.max_iters=3"], "'runner.max_iters' is 3 on rank 1 and 2 on rank 0"),
      (["optimizer.lr=0.01"], ["optimizer.lr=0.02"], "'optimizer.lr' is 0.02 on rank 1 and 0.01 on rank 0"),
      ([], ["seed=7"], "'seed' is 7 on rank 1 and absent on rank 0"),
      (
        ["optimizer_config.grad_clip=null"], ["optimizer_config.grad_clip.max_norm=10"],
        "'optimizer_config.grad_clip' is absent on rank 1 and null on rank 0"
      ),
      (["mpi.bucket_size_mb=2"], ["mpi.bucket_size_mb=0.01"], "'mpi.bucket_size_mb' is 0.01 on rank 1 and 2 on rank 0"),
      (
        [], ["data.train.classes.2=square", "data.val.classes.2=square", "data.test.classes.2=square"],
        "'data.train.classes' is [circle, rectangle, square, star, ring] on rank 1 and "
          + "[circle, rectangle, triangle, star, ring] on rank 0"
      ),
      (["--work-dir", "a"], ["--work-dir", "b"], "'--work-dir' is b on rank 1 and a on rank 0"),
      (["--resume", "auto"], [], "'--resume' is '' on rank 1 and auto on rank 0"),
      ([], ["--no-validate"], "'--no-validate' is true on rank 1 and false on rank 0"),
    ]

    @Test("Ranks that differ end at once, with the first key in which they do", arguments: differences)
    func differs(_ first: [String], _ second: [String], _ sentence: String) throws {
      func command(_ options: [String]) -> [String] {
        let isOption = options.first?.hasPrefix("--") ?? true
        return ["train", "tiny.yaml"] + (isOption ? options : ["--cfg-options"] + options)
      }
      expect(try start(command(first), command(second)), sentence)
    }

    @Test("Ranks of different commands, and of different tests, end at once") func commands() throws {
      try run.train("good", ranks: 1, batch: 2, iterations: 1)
      let test = ["test", "tiny.yaml", "good/latest.h5"]
      expect(try start(["train", "tiny.yaml"], test), "'command' is test on rank 1 and train on rank 0")
      expect(
        try start(test, test + ["--cfg-options", "model.test_cfg.rcnn.score_thr=0.5"]),
        "'model.test_cfg.rcnn.score_thr' is 0.5 on rank 1 and 0.05 on rank 0")
    }

    @Test("Each rank may have its own number of threads") func threads() throws {
      func command(_ threads: Int) -> [String] {
        run.command("work", ranks: 2, batch: 2, iterations: 1, options: ["mpi.threads_per_rank=\(threads)"])
      }
      let outcome = try start(command(1), command(2))
      #expect(outcome.code == 0, "\(outcome)")
    }
  }
}
