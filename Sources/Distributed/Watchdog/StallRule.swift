import Primitives

/// What a watchdog knows of a rank.
package struct RankState: Equatable {
  package let rank: Int
  let step: Int
  let place: Place
  /// How many collectives of its channel the rank has entered.
  let number: Int
  /// Seconds since it got further, as far as is known.
  let age: Double
  /// For a rank of another machine, seconds since it was last heard of.
  let unheard: Double?

  package init(rank: Int, step: Int, place: Place, number: Int, age: Double, unheard: Double?) {
    (self.rank, self.step, self.place) = (rank, step, place)
    (self.number, self.age, self.unheard) = (number, age, unheard)
  }
}

/// When a run has come to a standstill, and what there is to say about it. Knows no clock and no memory.
package struct StallRule {
  /// Seconds.
  let timeout: Double
  /// How many times as long nothing may move in a phase that is known to be long.
  static let longPhaseFactor = 6.0

  package init(timeout: Double) { self.timeout = timeout }

  package enum Verdict: Equatable { case goesOn, warning, stalled }

  /// A stall is when no rank that can be seen has got further for the timeout: where one moves, others wait for it.
  package func verdict(_ states: [RankState]) -> Verdict {
    let share = states.map { $0.age / allowance(of: $0) }.min() ?? 0
    return share >= 1 ? .stalled : share >= 1.0 / 3 ? .warning : .goesOn
  }

  /// Whether nobody serves a signal that asks to end and came so long ago, in seconds. A phase that is known to be long
  /// keeps its time.
  package func isDeaf(_ states: [RankState], signalAge: Double) -> Bool {
    let grace = min(timeout, 30)
    return signalAge > grace && states.allSatisfy { $0.age > ($0.place.phase.isLong ? timeout : grace) }
  }

  private func allowance(of state: RankState) -> Double {
    state.place.phase.isLong ? Self.longPhaseFactor * timeout : timeout
  }

  /// The ranks for which the others wait: those that are not waiting themselves, else those that are behind; empty where
  /// all are in the same place.
  package static func awaited(_ states: [RankState]) -> [RankState] {
    let busy = states.filter { !$0.place.isWaiting }
    if !busy.isEmpty { return busy.count == states.count ? [] : busy }
    let behind = states.map { ($0.step, $0.number) }.min { $0 < $1 }
    let slow = states.filter { ($0.step, $0.number) == behind ?? (0, 0) }
    return slow.count == states.count ? [] : slow
  }

  /// Who waits for whom since when.
  /// - Parameters:
  ///   - states: of the ranks that are known of.
  ///   - hosts: by rank, of all ranks.
  package static func description(_ states: [RankState], hosts: [String]) -> String {
    let awaited = awaited(states).map(\.rank)
    func named(_ ranks: [Int]) -> String {
      let names = FirstFew.words(ranks.map { "\($0) (\(hosts[$0]))" }, most: 8)
      return (ranks.count == 1 ? "rank " : "ranks ") + names
    }
    let waiting = states.map(\.rank).filter { !awaited.contains($0) }
    let who =
      awaited.isEmpty
      ? (hosts.count == 1 ? "" : "; all wait, as for a network that is down, or are busy, as with a disk that hangs")
      : "; \(named(waiting)) \(waiting.count == 1 ? "waits" : "wait") for \(named(awaited))"
    let unknown = hosts.indices.filter { rank in !states.contains { $0.rank == rank } }
    let lines = FirstFew.lines(states.map { "rank \($0.rank) (\(hosts[$0.rank])): \($0.description)" }, most: 64)
    return "no rank got further for \(seconds(states.map(\.age).min() ?? 0))\(who)" + lines
      + (unknown.isEmpty ? "" : "\n  nothing was ever heard of \(named(unknown))")
  }

  static func seconds(_ value: Double) -> String { value < 10 ? "\((10 * value).rounded() / 10) s" : "\(Int(value)) s" }
}

extension RankState {
  var description: String {
    let collective = place.channel.map { channel in
      "\(place.isWaiting ? "waiting in" : "after entering") collective \(number) of \(channel.name)"
    }
    let parts = [
      step > 0 ? "step \(step)" : nil, "\(place.phase)", collective ?? (place.isWaiting ? "waiting" : nil),
      "since \(StallRule.seconds(age))", unheard.map { "last heard of \(StallRule.seconds($0)) ago" },
    ]
    return parts.compactMap { $0 }.joined(separator: ", ")
  }
}

extension CollectiveOrder.Channel {
  /// For messages.
  fileprivate var name: String {
    switch self {
    case .gradients: "gradients"
    case .statistics: "SyncBN's sums"
    case .normalizers: "the losses' normalisers"
    case .world: "reports and parameters"
    }
  }
}
