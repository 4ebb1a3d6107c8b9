import Foundation
import Kernels
import MPI
import Primitives
import Tensors

/// Looks whether all ranks hold the same parameters and states of them (momenta, …), bit by bit: what a faulty memory or a rank that went a way
/// of its own would change without a word. Statistics are left out: they differ from rank to rank.
public struct ReplicaCheck {
  private let store: ParameterStore
  private let world: World
  private let workers: Workers

  public init(store: ParameterStore, world: World, workers: Workers) {
    (self.store, self.world, self.workers) = (store, world, workers)
  }

  /// Compares. Collective.
  /// - Parameter iteration: the steps done, for the message.
  /// - Throws: `ReplicaError` on all ranks.
  public func run(iteration: Int) throws {
    guard world.size > 1 else { return }
    let digests = digests
    guard try !world.isSame(Digest.joined(digests)) else { return }
    let all: [[UInt64]] = try world.gather(digests)
    let hosts = try world.hostNames()
    throw ReplicaError(description: try world.shared(description(of: all, hosts: hosts, iteration: iteration)))
  }

  private var compared: [Parameter] { store.parameters.filter { !$0.isStatistic } }

  /// Of the values of each parameter, then of each state.
  private var digests: [UInt64] {
    compared.map { Digest.of($0.values, $0.count, workers) }
      + store.states.flatMap { state in
        store.trainable.map { Digest.of($0.state(state), $0.count, workers) }
      }
  }

  private func description(of all: [[UInt64]], hosts: [String], iteration: Int) -> String {
    let names =
      compared.map(\.name)
      + store.states.flatMap { state in store.trainable.map { "\(state.words) of \($0.name)" } }
    let places = names.indices.filter { place in all.contains { $0[place] != all[0][place] } }
    guard let first = places.first else { return "the ranks' parameters differ after iter \(iteration)" }
    let more = places.count == 1 ? "" : " and \(places.count - 1) more"
    let groups = Dictionary(grouping: all.indices) { all[$0][first] }
    let usual = groups.values.first { 2 * $0.count > all.count }
    let odd = all.indices.filter { !(usual ?? []).contains($0) }
    func named(_ ranks: [Int]) -> String { ranks.map { "\($0) (\(hosts[$0]))" }.joined(separator: ", ") }
    let who =
      usual == nil
      ? "ranks \(named(odd)) hold different values, and nobody can say which are right"
      : "rank\(odd.count == 1 ? "" : "s") \(named(odd)) differ\(odd.count == 1 ? "s" : "") from the others"
    return """
      the ranks no longer hold the same parameters after iter \(iteration): in \(names[first])\(more), \(who). Nothing was \
      saved since; look at the memory of that host and resume from the newest checkpoint
      """
  }
}

/// Ranks whose parameters or states differ, in a sentence.
public struct ReplicaError: ReportedError {
  public let description: String
  public var exitCode: ExitCode { .io }
  public var scope: ErrorScope { .allRanks }
}
