internal import CMachine
import Foundation

/// The launcher of this process (mpirun, or `srun --mpi=pmix`), as the environment tells it: before there is a world, and
/// where nobody knows of one.
public enum Launcher {
  private static let variables = LauncherVariables(ProcessInfo.processInfo.environment)

  /// This process's rank; nil where no launcher that Open MPI can talk to gave it one.
  public static var rank: Int? { variables.isOurs ? variables.rank : nil }

  /// The number of ranks; nil where the launcher is not Open MPI's own.
  public static var size: Int? { variables.isOurs ? variables.size : nil }

  /// Whether another process says what all of them meet alike: rank 0 under a launcher that can be believed, else the
  /// first of the processes that one parent started on this machine. Somebody always speaks.
  public static var isSpokenFor: Bool {
    if let rank { return rank > 0 }
    return variables.areWrong && isSpokenForByASibling
  }

  /// The same where what the variables say is wrong.
  public static var isSpokenForByASibling: Bool { !Siblings.isFirstToSpeak }

  /// Ends a process that leaves it to another to speak: later than that one, because a launcher that sees a process end
  /// with an error ends the others, in the middle of a sentence.
  public static func endAfterTheOther(code: Int32) -> Never {
    let tenths = code == 0 ? 0 : rank == nil ? 5 : 100
    for _ in 0..<tenths where Int(machine_received_signals()) & machine_signal_term == 0 { usleep(100_000) }
    exit(code)
  }
}
