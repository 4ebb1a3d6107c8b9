import MPI
import Testing

@Suite struct ThreadBudgetTests {
  private func budget(
    explicit: Int? = nil, omp: String? = nil, allowed: Int, fair: Double, machine: Int, ranks: Int
  ) throws -> ThreadBudget {
    try ThreadBudget(
      explicit: explicit, environment: omp.map { ["OMP_NUM_THREADS": $0] } ?? [:],
      cores: CoreShare(allowed: allowed, fair: fair, machine: machine, localSize: ranks))
  }

  @Test func theSettingComesFirstThenTheVariableThenTheShare() throws {
    #expect(try budget(explicit: 3, omp: "5", allowed: 8, fair: 4, machine: 8, ranks: 2).threads == 3)
    #expect(try budget(omp: "5", allowed: 8, fair: 4, machine: 8, ranks: 2).threads == 5)
    #expect(try budget(omp: "5,2", allowed: 8, fair: 4, machine: 8, ranks: 2).threads == 5)
    #expect(try budget(allowed: 8, fair: 4, machine: 8, ranks: 2).threads == 4)
  }

  @Test func aRankHasAtLeastOneThread() throws {
    #expect(try budget(allowed: 2, fair: 0.25, machine: 2, ranks: 8).threads == 1)
    // 3 × 1/3 is a whole core in spite of rounding.
    #expect(try budget(allowed: 3, fair: 1.0 / 3 + 1.0 / 3 + 1.0 / 3, machine: 3, ranks: 3).threads == 1)
  }

  @Test(arguments: ["abc", "0", "-1", ",2"]) func aWrongVariableIsAnError(_ text: String) {
    #expect(
      throws: LaunchError(
        description: "OMP_NUM_THREADS is '\(text)'; expected the number of threads of a rank, 1 or more")
    ) { try budget(omp: text, allowed: 2, fair: 2, machine: 2, ranks: 1) }
  }

  @Test func narrowBindingIsNoticed() throws {
    let bound = try budget(allowed: 1, fair: 1, machine: 64, ranks: 2)
    #expect(
      bound.notice
        == "mpirun bound this rank to 1 of 64 cores, but each of the 2 ranks of this node could have 32; start with "
        + "'mpirun --bind-to none' or 'mpirun --map-by slot:pe=32'")
    #expect(try budget(allowed: 1, fair: 1, machine: 2, ranks: 2).notice == nil)
    #expect(try budget(allowed: 64, fair: 32, machine: 64, ranks: 2).notice == nil)
    #expect(try budget(explicit: 1, allowed: 1, fair: 1, machine: 64, ranks: 2).notice == nil)
  }

  @Test func moreThreadsThanCoresAreNoticed() throws {
    for crowded in [
      try budget(explicit: 5, allowed: 8, fair: 4, machine: 8, ranks: 2),
      try budget(omp: "5", allowed: 8, fair: 4, machine: 8, ranks: 2),
    ] {
      #expect(crowded.threads == 5)
      #expect(
        crowded.notice
          == "5 threads a rank are more than this rank's 4 of the 8 cores that 2 ranks share here: they take turns; set "
          + "mpi.threads_per_rank or OMP_NUM_THREADS to 4")
    }
    #expect(try budget(explicit: 4, allowed: 8, fair: 4, machine: 8, ranks: 2).notice == nil)
    // More ranks than cores are the launcher's choice.
    #expect(try budget(allowed: 2, fair: 0.25, machine: 2, ranks: 8).notice == nil)
    #expect(try budget(explicit: 1, allowed: 2, fair: 0.25, machine: 2, ranks: 8).notice == nil)
  }

  @Test func realRanksShareTheCores() throws {
    let free = try RankProbe.mpirun(2, "threads", options: ["--oversubscribe", "--bind-to", "none"])
    let alone = try RankProbe.mpirun(1, "threads", options: ["--oversubscribe", "--bind-to", "none"])
    func threads(_ outcome: Outcome) throws -> Int {
      let line = try #require(outcome.lines.first, "\(outcome)")
      return try #require(Int(line.dropFirst("threads ".count)))
    }
    #expect(free.lines.count == 2 && Set(free.lines).count == 1)
    #expect(try threads(free) == max(1, try threads(alone) / 2))
  }
}
