import MPI
import Testing

@Suite(.serialized) struct LaunchTests {
  private func launch(_ environment: [String: String], singleRank: Bool = false) throws -> Launch {
    try Launch(environment: environment, singleRank: singleRank)
  }

  @Test func withoutALauncherThereIsNone() throws {
    #expect(try launch([:]).hasLauncher == false)
    #expect(try launch(["SLURM_NTASKS": "4"]).hasLauncher == false, "a batch script is not a step")
    #expect(try launch(["PMI_SIZE": "1"]).hasLauncher == false)
  }

  @Test func mpirunComesBeforeSlurm() throws {
    let step = ["SLURM_STEP_ID": "0", "SLURM_PROCID": "0", "SLURM_NTASKS": "2"]
    let mpirun = ["OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_LOCAL_SIZE": "4"]
    let both = try launch(step.merging(mpirun) { $1 })
    #expect(both.hasLauncher && both.announcedSize == 8 && both.localSize == 4)
    let pmix = try launch(step.merging(["PMIX_RANK": "1", "SLURM_STEP_NUM_TASKS": "6"]) { $1 })
    #expect(pmix.hasLauncher && pmix.announcedSize == 6)
  }

  @Test func refusesForeignLaunchers() {
    #expect(
      throws: LaunchError(
        description: "PMI_SIZE says that a launcher started 4 processes, but it is not Open MPI's and they cannot "
          + "find each other; start rcnn-train with Open MPI's own mpirun")
    ) { try launch(["PMI_SIZE": "4", "PMI_RANK": "1"]) }
    #expect(
      throws: LaunchError(
        description: "SLURM_NTASKS says that srun started 4 processes, but without PMIx they cannot find each other; "
          + "use 'srun --mpi=pmix', or mpirun inside the job")
    ) { try launch(["SLURM_STEP_ID": "0", "SLURM_PROCID": "3", "SLURM_NTASKS": "4"]) }
    #expect(
      throws: LaunchError(
        description: "--single-rank is one process on its own, but the launcher started 2; start it without mpirun, "
          + "or leave --single-rank away")
    ) { try launch(["OMPI_COMM_WORLD_SIZE": "2"], singleRank: true) }
  }

  @Test func refusesAWorldOfAnotherSize() throws {
    let four = try launch(["OMPI_COMM_WORLD_SIZE": "4"])
    try four.verify(worldSize: 4)
    #expect(
      throws: LaunchError(
        description: "the launcher announced 4 ranks, but MPI made a world of 1; is mpirun of another MPI than the "
          + "Open MPI that rcnn-train is linked with? Start it with that one's mpirun")
    ) { try four.verify(worldSize: 1) }
  }

  @Test func theProgramRefusesToo() throws {
    let foreign = try RankProbe.alone("world", environment: ["PMI_SIZE": "4", "PMI_RANK": "1"])
    #expect(foreign.code == 64)
    #expect(foreign.messages.count == 1 && foreign.lines == [])
    let single = try RankProbe.mpirun(2, "world", "--single-rank")
    #expect(single.code == 64)
    #expect(single.messages.count == 1 && single.lines == [])
  }

  @Test func yieldsWhenRanksOutnumberCores() throws {
    let ranks = 4
    let own = try RankProbe.mpirun(
      ranks, "yield", options: ["--oversubscribe", "--mca", "mpi_yield_when_idle", "0"])
    #expect(own.lines == [String](repeating: "0", count: ranks), "the user's own setting is overruled")
    let threaded = try RankProbe.mpirun(
      2, "yield", options: ["--oversubscribe", "-x", "OMP_NUM_THREADS=4096"])
    #expect(threaded.lines == ["1", "1"])
  }
}
