/// Where a rank notes what it is at, for the watchdogs of its machine: a few stores into memory, and a look at the clock.
public final class RankProgress: Sendable {
  /// What a run is doing. The long ones are not stalls where nothing moves for a while.
  public enum Phase: UInt64, CaseIterable, Sendable {
    case starting, reading, training, evaluating, saving, ending

    var isLong: Bool {
      switch self {
      case .starting, .reading, .saving, .ending: true
      case .training, .evaluating: false
      }
    }
  }

  private let page: ProgressPage
  private let rank: Int

  init(_ page: ProgressPage, rank: Int) {
    (self.page, self.rank) = (page, rank)
    page.store(ProgressPage.now, rank, .since)
    page.store(1, rank, .isHere)
  }

  /// From now on this rank is in another phase.
  public func begin(_ phase: Phase) {
    page.store(Place(phase: phase, channel: nil, isWaiting: false).word, rank, .place)
    moved()
  }

  /// A step, 1-based, begins.
  public func beginStep(_ step: Int) {
    page.store(UInt64(step), rank, .step)
    begin(.training)
  }

  /// Something that takes long got further: a picture is evaluated, a part of a file written.
  public func tick() { moved() }

  func enter(_ channel: CollectiveOrder.Channel, number: Int) {
    var place = Place(word: page.load(rank, .place))
    place.channel = channel
    page.store(place.word, rank, .place)
    page.store(UInt64(number), rank, .number)
    moved()
  }

  /// Runs what waits for other ranks.
  public func waiting<Result>(_ body: () throws -> Result) rethrows -> Result {
    setWaiting(true)
    defer { setWaiting(false) }
    return try body()
  }

  private func setWaiting(_ isWaiting: Bool) {
    var place = Place(word: page.load(rank, .place))
    place.isWaiting = isWaiting
    page.store(place.word, rank, .place)
    moved()
  }

  private func moved() {
    page.addTick(rank)
    page.store(ProgressPage.now, rank, .since)
  }
}

/// What a rank is in, as one word.
package struct Place: Equatable {
  package var phase: RankProgress.Phase
  /// The communicator of the collective that this rank entered last in this phase.
  package var channel: CollectiveOrder.Channel?
  package var isWaiting: Bool

  package init(phase: RankProgress.Phase, channel: CollectiveOrder.Channel?, isWaiting: Bool) {
    (self.phase, self.channel, self.isWaiting) = (phase, channel, isWaiting)
  }

  package init(word: UInt64) {
    phase = RankProgress.Phase(rawValue: word & 0xff) ?? .starting
    channel = CollectiveOrder.Channel(rawValue: Int(word >> 8 & 0xff) - 1)
    isWaiting = word >> 16 & 1 == 1
  }

  package var word: UInt64 {
    phase.rawValue | UInt64((channel?.rawValue ?? -1) + 1) << 8 | (isWaiting ? 1 << 16 : 0)
  }
}
