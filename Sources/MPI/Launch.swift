import Primitives

/// Who started this process, as the environment tells it before `MPI_Init`.
package struct Launch: Equatable {
  /// Whether there is a launcher that Open MPI can talk to.
  package let hasLauncher: Bool
  /// How many ranks the launcher says there are; nil if it does not say.
  package let announcedSize: Int?
  /// This process's rank, as the launcher says.
  package let announcedRank: Int?
  /// The ranks on this node, as far as known.
  package let localSize: Int

  /// Reads the launcher's variables. mpirun's own come first: inside a batch job Slurm's are also there and mean
  /// the job's step, not this world.
  ///
  /// Throws where a launcher started several processes that this MPI would take for independent worlds of one: they
  /// would all train the same, and write the same checkpoint. Also where mpirun's own variables can't be what it gave.
  package init(environment: [String: String], singleRank: Bool) throws {
    let variables = LauncherVariables(environment)
    if let text = variables.partsMissing ?? variables.foreignWorld(isAlone: singleRank) {
      throw LaunchError(description: text, scope: .siblings)
    }
    announcedSize = variables.size ?? variables.stepSize
    if singleRank, let size = announcedSize, size > 1 {
      throw LaunchError(
        description: "--single-rank is one process on its own, but the launcher started \(size); "
          + "start it without mpirun, or leave --single-rank away", scope: .allRanks)
    }
    hasLauncher = variables.isOurs && !singleRank
    announcedRank = hasLauncher ? variables.rank : nil
    localSize = variables.localSize ?? 1
  }

  /// Throws if MPI made a world of another size than the launcher announced, or gave this process another rank.
  package func verify(worldSize: Int, worldRank: Int) throws {
    let remedy =
      "is mpirun of another MPI than the Open MPI that rcnn-train is linked with? Start it with that one's mpirun"
    if let announcedSize, announcedSize != worldSize {
      throw LaunchError(
        description: "the launcher announced \(announcedSize) ranks, but MPI made a world of \(worldSize); \(remedy)",
        scope: .siblings)
    }
    if let announcedRank, announcedRank != worldRank {
      throw LaunchError(
        description: "the launcher announced rank \(announcedRank), but to MPI this is rank \(worldRank) of "
          + "\(worldSize); \(remedy)", scope: .siblings)
    }
  }
}
