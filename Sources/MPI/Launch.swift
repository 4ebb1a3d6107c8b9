/// Who started this process, as the environment tells it before `MPI_Init`.
package struct Launch: Equatable {
  /// Whether there is a launcher that Open MPI can talk to.
  package let hasLauncher: Bool
  /// How many ranks the launcher says there are; nil if it does not say.
  package let announcedSize: Int?
  /// The ranks on this node, as far as known.
  package let localSize: Int

  /// Reads the launcher's variables. mpirun's own come first: inside a batch job Slurm's are also there and mean
  /// the job's step, not this world.
  ///
  /// Throws where a launcher started several processes that this MPI would take for independent worlds of one: they
  /// would all train the same, and write the same checkpoint.
  package init(environment: [String: String], singleRank: Bool) throws {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    let mpirunSize = number("OMPI_COMM_WORLD_SIZE")
    let isInStep = environment["SLURM_STEP_ID"] != nil && environment["SLURM_PROCID"] != nil
    let stepSize = isInStep ? number("SLURM_STEP_NUM_TASKS") ?? number("SLURM_NTASKS") : nil
    let hasPMIx = environment["PMIX_RANK"] != nil
    if mpirunSize == nil, !hasPMIx {
      if let size = number("PMI_SIZE"), size > 1 {
        throw LaunchError(
          description: "PMI_SIZE says that a launcher started \(size) processes, but it is not Open MPI's and they "
            + "cannot find each other; start rcnn-train with Open MPI's own mpirun")
      }
      if let size = stepSize, size > 1 {
        throw LaunchError(
          description: "SLURM_NTASKS says that srun started \(size) processes, but without PMIx they cannot find "
            + "each other; use 'srun --mpi=pmix', or mpirun inside the job")
      }
    }
    if singleRank, let size = mpirunSize ?? stepSize, size > 1 {
      throw LaunchError(
        description: "--single-rank is one process on its own, but the launcher started \(size); "
          + "start it without mpirun, or leave --single-rank away")
    }
    hasLauncher = (mpirunSize != nil || hasPMIx) && !singleRank
    announcedSize = mpirunSize ?? stepSize
    localSize = number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? number("SLURM_NTASKS_PER_NODE") ?? 1
  }

  /// Throws if MPI made a world of another size than the launcher announced.
  package func verify(worldSize: Int) throws {
    guard let announcedSize, announcedSize != worldSize else { return }
    throw LaunchError(
      description: "the launcher announced \(announcedSize) ranks, but MPI made a world of \(worldSize); "
        + "is mpirun of another MPI than the Open MPI that rcnn-train is linked with? Start it with that one's mpirun")
  }
}
