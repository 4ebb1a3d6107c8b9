import MPI
import Testing

@Suite(.serialized) struct LaunchTests {
  private func launch(_ environment: [String: String], singleRank: Bool = false) throws -> Launch {
    try Launch(environment: environment, singleRank: singleRank)
  }

  @Test func withoutALauncherThereIsNone() throws {
    #expect(try launch([:]).hasLauncher == false)
    #expect(try launch(["SLURM_NTASKS": "4"]).hasLauncher == false, "a batch script is not a step")
    #expect(try launch(["SLURM_NTASKS": "4", "SLURM_PROCID": "0"]).hasLauncher == false)
    #expect(try launch(["PMI_SIZE": "1", "PMI_RANK": "0", "MPI_LOCALNRANKS": "1"]).hasLauncher == false)
    #expect(try launch(["I_MPI_ROOT": "/opt/intel"]).hasLauncher == false)
    let interactive = ["SLURM_STEP_ID": "4294967290", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"]
    #expect(try launch(interactive.merging(["SLURM_NTASKS": "4"]) { $1 }).hasLauncher == false)
  }

  private func mpirun(rank: Int, of size: Int) -> [String: String] {
    [
      "OMPI_COMM_WORLD_SIZE": "\(size)", "OMPI_COMM_WORLD_RANK": "\(rank)", "PMIX_RANK": "\(rank)",
      "PMIX_NAMESPACE": "1",
    ]
  }

  @Test func mpirunComesBeforeSlurm() throws {
    let step = ["SLURM_STEP_ID": "0", "SLURM_PROCID": "0", "SLURM_NTASKS": "2"]
    let local = mpirun(rank: 1, of: 8).merging(["OMPI_COMM_WORLD_LOCAL_SIZE": "4"]) { $1 }
    let both = try launch(step.merging(local) { $1 })
    #expect(both.hasLauncher && both.announcedSize == 8 && both.localSize == 4 && both.announcedRank == 1)
    let pmix = ["PMIX_RANK": "1", "PMIX_NAMESPACE": "slurm.pmix.7.0", "SLURM_STEP_NUM_TASKS": "6"]
    let srun = try launch(step.merging(pmix) { $1 })
    #expect(srun.hasLauncher && srun.announcedSize == 6)
    let daemons = ["PALS_RANKID": "1", "PMI_RANK": "1", "PMI_SIZE": "2"]
    #expect(try launch(daemons.merging(mpirun(rank: 0, of: 2)) { $1 }).hasLauncher, "mpirun started by PALS")
  }

  /// What each foreign launcher sets, and the beginning of what is said.
  static let foreign: [([String: String], String)] = [
    (["PMI_SIZE": "4", "PMI_RANK": "1"], "PMI_SIZE says that MPICH's or Intel MPI's mpiexec started 4 processes"),
    (["MPI_LOCALNRANKS": "4"], "MPI_LOCALNRANKS says that MPICH's or Intel MPI's mpiexec started 4 processes"),
    (
      ["MPI_LOCALNRANKS": "1", "PMI_ID": "2"],
      "PMI_ID says that MPICH's or Intel MPI's mpiexec started this process as number 2 of several"
    ),
    (["MV2_COMM_WORLD_RANK": "0", "MV2_COMM_WORLD_SIZE": "2"], "MV2_COMM_WORLD_SIZE says that MVAPICH's mpirun"),
    (["PALS_RANKID": "3"], "PALS_RANKID says that PALS (Cray's mpiexec) started this process as number 3 of several"),
    (["PALS_LOCAL_RANKID": "1"], "PALS_LOCAL_RANKID says that PALS"),
    (
      ["PALS_RANKID": "0"],
      "PALS_RANKID says that PALS (Cray's mpiexec) started this process, and nothing says how many there are"
    ),
    (["ALPS_APP_PE": "1"], "ALPS_APP_PE says that Cray's aprun"),
    (["JSM_NAMESPACE_SIZE": "2", "JSM_NAMESPACE_RANK": "0"], "JSM_NAMESPACE_SIZE says that jsrun started 2"),
    (["FLUX_JOB_SIZE": "2", "FLUX_TASK_RANK": "0"], "FLUX_JOB_SIZE says that flux run started 2"),
    (["SLURM_STEP_ID": "0", "SLURM_PROCID": "3", "SLURM_NTASKS": "4"], "SLURM_NTASKS says that srun started 4"),
    (
      ["PMI_SIZE": "many", "PMI_RANK": "1"], "PMI_SIZE is 'many', which is no number of MPICH's or Intel MPI's mpiexec"
    ),
  ]

  @Test(arguments: foreign) func refusesForeignLaunchers(_ environment: [String: String], _ beginning: String) {
    let error = #expect(throws: LaunchError.self) { try launch(environment) }
    #expect(error?.description.hasPrefix(beginning) == true, "\(error?.description ?? "")")
    #expect(error?.scope == .siblings)
  }

  @Test func saysWhatHelps() {
    let remedies = [
      ["PMI_SIZE": "4"]: "but it is not Open MPI's and they cannot find each other; start rcnn-train with Open MPI's "
        + "own mpirun",
      ["SLURM_STEP_ID": "0", "SLURM_PROCID": "3", "SLURM_NTASKS": "4"]:
        "without PMIx they cannot find each other; use 'srun --mpi=pmix', or mpirun inside the job",
    ]
    for (environment, remedy) in remedies {
      let error = #expect(throws: LaunchError.self) { try launch(environment) }
      #expect(error?.description.hasSuffix(remedy) == true)
    }
    #expect(throws: Never.self) { try launch(["PALS_RANKID": "0"], singleRank: true) }
    #expect(
      throws: LaunchError(
        description: "--single-rank is one process on its own, but the launcher started 2; start it without mpirun, "
          + "or leave --single-rank away")
    ) { try launch(mpirun(rank: 0, of: 2), singleRank: true) }
  }

  @Test(arguments: [
    (["OMPI_COMM_WORLD_RANK": "1"], "OMPI_COMM_WORLD_RANK is '1', but OMPI_COMM_WORLD_SIZE is not set: "),
    (["OMPI_COMM_WORLD_SIZE": "2"], "OMPI_COMM_WORLD_SIZE is '2', but OMPI_COMM_WORLD_RANK is not set: "),
    (
      ["OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"],
      "OMPI_COMM_WORLD_RANK is '1', but PMIX_RANK is not set: "
    ),
    (["PMIX_RANK": "1"], "PMIX_RANK is '1', but PMIX_NAMESPACE is not set: "),
    (["PMIX_RANK": "x", "PMIX_NAMESPACE": "1"], "PMIX_RANK is 'x', which is not a number: "),
    (
      ["OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "2", "PMIX_RANK": "2", "PMIX_NAMESPACE": "1"],
      "OMPI_COMM_WORLD_RANK is 2, OMPI_COMM_WORLD_SIZE 2, PMIX_RANK 2: "
    ),
    (
      ["OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "PMIX_RANK": "0", "PMIX_NAMESPACE": "1"],
      "OMPI_COMM_WORLD_RANK is 1, OMPI_COMM_WORLD_SIZE 2, PMIX_RANK 0: "
    ),
  ]) func refusesPartsOfMpirun(_ environment: [String: String], _ beginning: String) {
    for singleRank in [false, true] {
      let error = #expect(throws: LaunchError.self) { try launch(environment, singleRank: singleRank) }
      #expect(error?.description.hasPrefix(beginning) == true, "\(error?.description ?? "")")
    }
  }

  @Test func refusesAnotherWorldThanAnnounced() throws {
    let four = try launch(mpirun(rank: 1, of: 4))
    try four.verify(worldSize: 4, worldRank: 1)
    let remedy =
      "is mpirun of another MPI than the Open MPI that rcnn-train is linked with? Start it with that one's mpirun"
    #expect(
      throws: LaunchError(
        description: "the launcher announced 4 ranks, but MPI made a world of 1; \(remedy)", scope: .siblings)
    ) { try four.verify(worldSize: 1, worldRank: 0) }
    let pmix = try launch(["PMIX_RANK": "1", "PMIX_NAMESPACE": "1"])
    #expect(
      throws: LaunchError(
        description: "the launcher announced rank 1, but to MPI this is rank 0 of 1; \(remedy)", scope: .siblings)
    ) { try pmix.verify(worldSize: 1, worldRank: 0) }
  }

  @Test func theProgramRefusesToo() throws {
    for environment in Self.foreign.map(\.0) + [["OMPI_COMM_WORLD_RANK": "1"], ["PMIX_RANK": "1"]] {
      let foreign = try RankProbe.alone("world", environment: environment)
      #expect(foreign.code == 64)
      #expect(foreign.messages.count == 1 && foreign.lines == [], "\(environment): \(foreign)")
    }
    let single = try RankProbe.mpirun(2, "world", "--single-rank")
    #expect(single.code == 64)
    #expect(single.messages.count == 1 && single.lines == [], "\(single)")
  }

  @Test func oneOfManySpeaks() throws {
    for variables in ["PMI_RANK=$i PMI_SIZE=6", "MPI_LOCALNRANKS=6", "PALS_RANKID=$((i + 1))"] {
      let many = try RankProbe.many(6, "world", variables: variables)
      #expect(many.code == 64 && many.messages.count == 1 && many.lines == [], "\(variables): \(many)")
    }
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
