import MPI

/// Whether any rank was asked to stop, while all work through rounds of their own: agreed upon without anybody waiting
/// for the others in each round. All ranks ask once a round, in equally many rounds, then once at the end; so all of them
/// get the same answer, if not in the same round, and none waits for one that left.
public final class StopAgreement {
  /// A question is put every so many rounds, and answered until the next: a rank may be as far ahead of another.
  static let interval = 4

  private let world: World
  /// One number for each rank, so that the sum is never a smaller message than MPI can cut.
  private let flags: FloatSlice
  private var request: Request?
  private var round = 0

  /// Its messages are those of `world`, which must not be used otherwise until the end.
  public init(in world: World) {
    self.world = world
    flags = FloatSlice.allocate(capacity: world.size)
    flags.initialize(repeating: 0)
  }

  deinit { flags.deallocate() }

  /// To be asked before each round. After a yes, no rank asks again.
  /// - Parameter wishes: whether this rank has a reason of its own to stop, besides signals.
  public func isAskedToStop(wishes: Bool = false) throws -> Bool {
    defer { round += 1 }
    if round % Self.interval == 0 {
      if try isAgreedAtTheEnd() { return true }
      flags.update(repeating: 0)
      flags[world.rank] = wishes || Signals.received.isStop ? 1 : 0
      request = try world.startSum(flags)
    }
    if let request, try !request.test() { return false }
    return flags.contains { $0 > 0 }
  }

  /// To be asked after the last round, by ranks that have not got a yes: waits for the last answer.
  public func isAgreedAtTheEnd() throws -> Bool {
    try request?.wait()
    return flags.contains { $0 > 0 }
  }

  /// Whether any rank is asked to stop now. Collective.
  public static func isAskedToStop(in world: World) throws -> Bool {
    var flag = [Signals.received.isStop ? 1.0 : 0]
    try world.maximum(&flag)
    return flag[0] > 0
  }
}
