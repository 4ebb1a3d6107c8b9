import Foundation

/// All ranks of a training. A world of one never touches MPI: its collectives do nothing.
public final class World {
  public let rank: Int
  public let size: Int
  /// The place among, and the number of, the ranks on this node.
  public let localRank: Int
  public let localSize: Int
  private let session: MPISession?
  private let communicator: Communicator?
  private let node: Communicator?

  private init(session: MPISession?, communicator: Communicator?, node: Communicator?) {
    (self.session, self.communicator, self.node) = (session, communicator, node)
    (rank, size) = (communicator?.rank ?? 0, communicator?.size ?? 1)
    (localRank, localSize) = (node?.rank ?? 0, node?.size ?? 1)
  }

  /// Joins the world that mpirun (or `srun --mpi=pmix`) started; without a launcher, or with `singleRank`, a world of
  /// one without `MPI_Init`. `threadsPerRank` is what the user asked for, if anything.
  public static func start(
    singleRank: Bool = false, threadsPerRank: Int? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> World {
    let launch = try Launch(environment: environment, singleRank: singleRank)
    guard launch.hasLauncher else { return World(session: nil, communicator: nil, node: nil) }
    let cores = CoreShare.expected(localSize: launch.localSize)
    let threads = try ThreadBudget(explicit: threadsPerRank, environment: environment, cores: cores).threads
    // A waiting rank spins by default, and starves the ranks with which it shares cores: an allreduce took 200 ms
    // instead of 0.04 ms. A setting of the user's own stays.
    if cores.isExceeded(byThreads: threads) { setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0) }
    // Left alone, MPI_Iallreduce in place goes up and down a tree of p ranks, log p times all bytes each way.
    // Rabenseifner's algorithm (number 3) takes 1 - 1/p of them each way.
    setenv("OMPI_MCA_coll_libnbc_iallreduce_algorithm", "3", 0)
    let session = try MPISession()
    do {
      try launch.verify(worldSize: session.world.size, worldRank: session.world.rank)
    } catch {
      // Each of the wrong worlds is alone and healthy, so that this cannot wait for anybody.
      if session.world.size == 1 { try session.finalize() }
      throw error
    }
    return World(session: session, communicator: session.world, node: try session.world.ranksOfNode())
  }

  /// The same ranks with messages of their own. Collective.
  public func duplicate() throws -> World {
    World(session: session, communicator: try communicator?.duplicate(), node: node)
  }

  /// To be called on all ranks when all went well, once.
  public func finish() throws { try session?.finalize() }

  /// Ends all ranks with this exit code.
  public func abort(code: Int32) -> Never {
    session?.abort(code: code)
    exit(code)
  }

  /// The cores of this rank, and how many ranks of the node share them. Collective.
  public func coreShare() throws -> CoreShare {
    var ranksByCore = CoreShare.allowedCores().map { $0 ? 1.0 : 0.0 }
    try node?.sum(&ranksByCore)
    return CoreShare(ranksByCore: ranksByCore, localSize: localSize)
  }

  public func barrier() throws { try communicator?.barrier() }

  // The collectives of `Communicator`.

  public func sum(_ slice: FloatSlice) throws { try communicator?.sum(slice) }
  public func sum(_ values: inout [Double]) throws { try communicator?.sum(&values) }
  public func sum(_ values: inout [UInt64]) throws { try communicator?.sum(&values) }
  public func maximum(_ slice: FloatSlice) throws { try communicator?.maximum(slice) }
  public func maximum(_ values: inout [Double]) throws { try communicator?.maximum(&values) }
  public func maximum(_ values: inout [UInt64]) throws { try communicator?.maximum(&values) }

  /// nil in a world of one: the sum is there already.
  public func startSum(_ slice: FloatSlice) throws -> Request? { try communicator?.startSum(slice) }
  public func startSum(_ slice: IntegerSlice) throws -> Request? { try communicator?.startSum(slice) }

  public func broadcast(_ slice: FloatSlice) throws { try communicator?.broadcast(slice) }
  public func broadcast(_ bytes: inout [UInt8]) throws { try communicator?.broadcast(&bytes) }

  /// The bytes of this node's first rank, where all of its ranks can read them; what the others give is ignored. nil
  /// without MPI. Collective.
  /// - Parameters:
  ///   - bytes: what this rank gives; nil: none.
  ///   - usesWindow: false sends each rank a copy, as where there is no room for a window.
  /// - Throws: `MPIError`.
  public func shareOnNode(_ bytes: UnsafeRawBufferPointer?, usesWindow: Bool = true) throws -> NodeMemory? {
    try node.map { try NodeMemory($0, bytes ?? UnsafeRawBufferPointer(start: nil, count: 0), usesWindow: usesWindow) }
  }

  public func gather(_ bytes: [UInt8]) throws -> [[UInt8]] { try communicator?.gather(bytes) ?? [bytes] }
}
