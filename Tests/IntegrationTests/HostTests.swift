import Foundation
import Testing

extension FaultTests {
  @Suite(
    "Two hosts of two ranks, over TCP",
    .enabled(
      if: TwoHosts.arePermitted, "network namespaces want root, ip and unshare, and a container that permits them"),
    .long)
  struct Hosts {
    private let run: TinyRun
    private let hosts: TwoHosts

    init() throws {
      run = try TinyRun()
      hosts = try TwoHosts(run.program)
    }

    private func command(_ workDir: String, iterations: Int) -> [String] {
      run.command(
        workDir, ranks: 4, batch: 4, iterations: iterations,
        options: [
          "mpi.reduction=exact", "mpi.global_batch=4", "mpi.threads_per_rank=1", "mpi.stall_timeout=20",
          "checkpoint_config.interval=2", "checkpoint_config.by_epoch=false",
        ])
    }

    /// Waits until no rank runs on either host; mpirun may wait for a host that is gone for ever.
    private func waitForRanksToEnd() {
      let deadline = Date().addingTimeInterval(RunningProgram.hang)
      while Date() < deadline, !(hosts.ranks(on: 0) + hosts.ranks(on: 1)).isEmpty { usleep(50_000) }
      #expect((hosts.ranks(on: 0) + hosts.ranks(on: 1)).isEmpty, "ranks go on for ever")
    }

    private func goesOn(_ workDir: String, to iteration: Int) throws {
      try run.program.succeed(command(workDir, iterations: iteration) + ["--resume", "auto"], ranks: 2)
      #expect(try run.checkpoint("\(workDir)/latest.h5").iteration == iteration)
    }

    @Test("The result is that of one rank, and a slow cable changes nothing") func slowCable() throws {
      hosts.slowCable(megabits: 50)
      let outcome = try hosts.start(command("far", iterations: 3)).wait()
      try #require(outcome.code == 0, "\(outcome)")
      #expect(outcome.output.contains("4 ranks (2 on this node)"), "\(outcome)")
      try run.program.succeed(command("alone", iterations: 3))
      let (mine, other) = (try run.checkpoint("far/latest.h5"), try run.checkpoint("alone/latest.h5"))
      #expect(mine.iteration == 3 && mine.model == other.model && mine.momenta == other.momenta)
    }

    @Test("A cable that is cut ends the ranks of both hosts, each by itself; then the run goes on") func cutCable()
      throws
    {
      let running = try hosts.start(command("cut", iterations: 100_000))
      try running.wait { run.folder.exists("cut/iter_4.h5") }
      hosts.cutCable()
      waitForRanksToEnd()
      let words = try run.folder.names(in: "cut").filter { $0.hasPrefix("stall_") }.map {
        String(decoding: try run.folder.read("cut/\($0)"), as: UTF8.self)
      }
      for host in ["host1", "host2"] {
        #expect(words.contains { $0.contains("no rank got further") && $0.contains(host) }, "\(words)")
      }
      running.send(SIGKILL)
      let reached = try run.checkpoint("cut/latest.h5").iteration
      #expect(reached >= 4)
      try goesOn("cut", to: reached + 1)
    }

    @Test("A host that loses its power ends the run, which goes on without it") func lostHost() throws {
      let running = try hosts.start(command("lost", iterations: 100_000))
      try running.wait { run.folder.exists("lost/iter_4.h5") }
      hosts.killSecondHost()
      waitForRanksToEnd()
      running.send(SIGKILL)
      try goesOn("lost", to: try run.checkpoint("lost/latest.h5").iteration + 1)
    }

    @Test("Annotations that are not the same on all hosts end the run before the first step") func otherAnnotations()
      throws
    {
      let path = "data/annotations/instances_train.json"
      let text = String(decoding: try run.folder.read(path), as: UTF8.self)
      let content = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      var other = content
      other["annotations"] = try #require(content["annotations"] as? [[String: Any]]).dropLast(3).map { $0 }
      try hosts.giveSecondHost(
        String(decoding: try JSONSerialization.data(withJSONObject: other), as: UTF8.self), inPlaceOf: path)
      let outcome = try hosts.start(command("differing", iterations: 2)).wait()
      #expect(outcome.code == 65, "\(outcome)")
      #expect(outcome.errors.contains("the ranks are not of one job: 'the content of \(path)'"), "\(outcome)")
      #expect(
        outcome.errors.contains("(host2)") && outcome.errors.contains("copy one file to all machines"), "\(outcome)")
      #expect(!run.folder.exists("differing/iter_2.h5"))
    }
  }
}
