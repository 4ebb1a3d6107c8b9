import Testing

/// Real processes under a real mpirun.
@Suite(.serialized) struct RankTests {
  /// What the case does, and what it expects, is in `Tests/RankProbe`.
  @Test(
    arguments: [
      "collectives", "reducer", "average", "broadcast", "report", "annotations", "annotation copies", "communicators",
    ],
    1...4)
  func agrees(_ name: String, ranks: Int) throws {
    let outcome = try RankProbe.mpirun(ranks, name)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.messages == [])
  }

  @Test(arguments: ["collectives", "reducer", "average", "broadcast", "report", "order", "annotations"])
  func aWorldOfOneNeedsNoLauncher(_ name: String) throws {
    for arguments in [[name], [name, "--single-rank"]] {
      let outcome = try arguments.count == 1 ? RankProbe.alone(name) : RankProbe.alone(name, "--single-rank")
      #expect(outcome.code == 0, "\(outcome.errors)")
    }
  }

  @Test(arguments: 1...4) func knowsItsPlace(_ ranks: Int) throws {
    let outcome = try RankProbe.mpirun(ranks, "world")
    #expect(outcome.lines == (0..<ranks).map { "rank \($0) of \(ranks), \($0) of \(ranks) here" })
  }

  @Test(arguments: 2...4) func namesTheRankInAnotherCollective(_ ranks: Int) throws {
    let outcome = try RankProbe.mpirun(ranks, "order")
    #expect(outcome.code == 70)
    #expect(
      outcome.messages == [
        "error: the ranks went through different collectives in step 2: rank \(ranks - 1) was in "
          + "'evaluation layer1 (10 numbers)' where rank 0 was in 'parameters bucket 1 (10 numbers)'; its sums are "
          + "wrong. This is a bug of rcnn-train"
      ])
  }

  @Test(arguments: 1...4) func allRanksLearnOfADifference(_ ranks: Int) throws {
    let outcome = try RankProbe.mpirun(ranks, "jobs")
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.lines == Array(repeating: ranks == 1 ? "none" : "the content of a.json", count: ranks))
  }

  @Test(arguments: 2...4) func anErrorOnOneRankEndsAll(_ ranks: Int) throws {
    let outcome = try RankProbe.mpirun(ranks, "fail")
    #expect(outcome.code == 74)
    #expect(outcome.messages == ["[rank \(ranks - 1) of \(ranks)] error: the disk is full"])
    #expect(outcome.lines == ["flushed"])
  }

  @Test(arguments: ["bug", "bug on a thread"], 1...4) func aBugOnOneRankEndsAll(_ name: String, ranks: Int) throws {
    let outcome = try RankProbe.mpirun(ranks, name)
    #expect(outcome.code == 70, "\(outcome.errors)")
    #expect(outcome.messages.count == 1, "\(outcome.errors)")
    let message = outcome.messages.first ?? ""
    #expect(message.hasPrefix("[rank \(ranks - 1)] error: a bug of rcnn-train at rank_probe/Failures.swift:"))
    #expect(message.hasSuffix(": the shape is [2, 3], expected [3, 2]; please report it"))
    for trace in ["Fatal error", "Backtrace", "Signal: "] { #expect(!outcome.errors.contains(trace)) }
  }

  @Test(arguments: ["bug", "bug on a thread"]) func aBugEndsAWorldOfOne(_ name: String) throws {
    let outcome = try RankProbe.alone(name)
    #expect(outcome.code == 70, "\(outcome.errors)")
    #expect(outcome.messages.count == 1 && outcome.messages[0].hasPrefix("error: a bug of rcnn-train at "))
  }

  @Test(arguments: 1...4) func aMistakeIsSaidOnce(_ ranks: Int) throws {
    let outcome = try RankProbe.mpirun(ranks, "mistake")
    #expect(outcome.code == 78)
    #expect(outcome.messages == ["error: configs/x.yaml:1:1: error in it"])
  }

  @Test(arguments: [1, 2, 4]) func aBrokenAnnotationFileIsMetByAllRanks(_ ranks: Int) throws {
    let outcome = try RankProbe.mpirun(ranks, "broken annotations")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let message = "FILE:1:13: error: expected a JSON value, found the end of the file: is it cut short?"
    #expect(outcome.lines == (0..<ranks).map { "rank \($0): \(message)" })
  }

  @Test(arguments: 1...4) func allRanksStopInTheSameStep(_ ranks: Int) throws {
    let outcome = try RankProbe.mpirun(ranks, "signal")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let steps = Set(outcome.lines)
    #expect(steps.count == 2 && outcome.lines.count == 2 * ranks, "\(outcome.lines)")
  }
}
