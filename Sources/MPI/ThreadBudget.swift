internal import CMachine
import Foundation

/// The cores that a rank may run on.
public struct CoreShare: Equatable, Sendable {
  /// The cores that this rank is bound to.
  public let allowed: Int
  /// This rank's share of them: a core that k ranks may use counts 1/k.
  public let fair: Double
  /// The cores that the launcher itself may use on this node: what it could have given.
  public let machine: Int
  public let localSize: Int

  package init(allowed: Int, fair: Double, machine: Int, localSize: Int) {
    (self.allowed, self.fair, self.machine, self.localSize) = (allowed, fair, machine, localSize)
  }

  /// From the number of ranks of the node that may use each core.
  init(ranksByCore: [Double], localSize: Int) {
    let mine = zip(Self.allowedCores(), ranksByCore).filter { $0.0 }.map { $0.1 }
    self.init(
      allowed: max(1, mine.count), fair: mine.reduce(0) { $0 + 1 / max(1, $1) }, machine: Self.launcherCores(),
      localSize: localSize)
  }

  /// What is to be expected before the ranks can talk to each other: bound ranks spread evenly over the node.
  static func expected(localSize: Int) -> CoreShare {
    let (allowed, machine) = (Int(machine_allowed_cores()), launcherCores())
    return CoreShare(
      allowed: allowed, fair: min(Double(allowed), Double(max(machine, allowed)) / Double(max(1, localSize))),
      machine: machine, localSize: localSize)
  }

  /// Whether ranks with so many threads each are more than the cores can run at a time.
  func isExceeded(byThreads threads: Int) -> Bool { Double(threads) > fair + 1e-6 }

  static func allowedCores() -> [Bool] { cores(ofProcess: 0) }

  /// mpirun binds the ranks, not itself.
  private static func launcherCores() -> Int { cores(ofProcess: getppid()).count { $0 } }

  private static func cores(ofProcess process: Int32) -> [Bool] {
    (0..<Int32(16)).flatMap { word in
      let mask = machine_core_mask(process, word)
      return (0..<64).map { mask >> $0 & 1 == 1 }
    }
  }
}

/// How many threads a rank computes with.
public struct ThreadBudget: Equatable, Sendable {
  public let threads: Int
  /// The most threads that a rank may be asked to have.
  public static let most = 4096
  /// A line for the user when mpirun bound this rank to fewer cores than it could have, or when more threads were asked
  /// for than the rank has cores.
  public let notice: String?

  /// `explicit` (`mpi.threads_per_rank`), else `OMP_NUM_THREADS`, else the fair share of the cores.
  public init(explicit: Int?, environment: [String: String], cores: CoreShare) throws {
    let fair = Int(cores.fair + 1e-6)
    let wanted = try explicit ?? Self.setting(environment["OMP_NUM_THREADS"])
    threads = wanted ?? max(1, fair)
    let possible = cores.machine / max(1, cores.localSize)
    if cores.allowed < cores.machine, fair < min(possible, wanted ?? possible) {
      notice =
        "mpirun bound this rank to \(cores.allowed) of \(cores.machine) cores, but each of the \(cores.localSize) "
        + "ranks of this node could have \(possible); start with 'mpirun --bind-to none' or "
        + "'mpirun --map-by slot:pe=\(possible)'"
    } else if threads > max(1, fair) {
      notice =
        "\(threads) threads a rank are more than this rank's \(max(1, fair)) of the \(cores.allowed) cores that "
        + "\(cores.localSize) ranks share here: they take turns; set mpi.threads_per_rank or OMP_NUM_THREADS to "
        + "\(max(1, fair))"
    } else {
      notice = nil
    }
  }

  /// The budget of this rank. Collective.
  public init(explicit: Int?, environment: [String: String], world: World) throws {
    try self.init(explicit: explicit, environment: environment, cores: try world.coreShare())
  }

  /// A list is one number for each level of nesting; ours is the outermost.
  private static func setting(_ text: String?) throws -> Int? {
    guard let text, !text.isEmpty else { return nil }
    guard let first = text.split(separator: ",", omittingEmptySubsequences: false).first, let threads = Int(first),
      threads > 0
    else {
      throw LaunchError(
        description: "OMP_NUM_THREADS is '\(text)'; expected the number of threads of a rank, 1 or more")
    }
    guard threads <= most else {
      throw LaunchError(description: "OMP_NUM_THREADS is '\(text)'; expected at most \(most) threads for a rank")
    }
    return threads
  }
}
