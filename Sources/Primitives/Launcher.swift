import Foundation

/// The launcher of this process (mpirun, or `srun --mpi=pmix`), as the environment tells it: before there is a world, and
/// where nobody knows of one.
public enum Launcher {
  /// This process's rank; nil where no launcher gave it one.
  public static var rank: Int? { number("OMPI_COMM_WORLD_RANK") ?? number("PMIX_RANK") }

  /// The number of ranks; nil where the launcher is not Open MPI's own.
  public static var size: Int? { number("OMPI_COMM_WORLD_SIZE") }

  private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }
}
