import Foundation
import MPI
import Primitives

/// A thread that never calls MPI and ends this process when the whole run has come to a standstill: no rank that it can see
/// has got further for `mpi.stall_timeout`. The watchdogs of a machine see its ranks in memory, those of others by
/// datagrams; each ends its own process, and one of them says why.
public final class Watchdog: @unchecked Sendable {
  /// What each rank tells the others at the start.
  private struct Member: Codable {
    let host: String
    let address: Datagrams.Address?
  }

  private let rank: Int
  private let page: ProgressPage
  private let members: [Member]
  private let datagrams: Datagrams?
  private let rule: StallRule
  private let workDir: String?
  private let period: Double
  /// The ranks of this machine.
  private let neighbours: [Int]
  /// When the process was stopped last, or started: time in which nobody could get further.
  private var wokeAt = ProgressPage.now
  private var terminationAt: UInt64?

  /// Starts to watch over this rank. Collective.
  /// - Parameters:
  ///   - world: the ranks of the run.
  ///   - timeout: seconds; 0 is for ever, and what is noted then is read by nobody.
  ///   - workDir: where what is said at the end goes, too; nil for nowhere.
  /// - Returns: where this rank notes what it is at.
  /// - Throws: `MPIError`.
  public static func start(_ world: World, timeout: Double, workDir: String?) throws -> RankProgress {
    let token = try world.shared(UInt64.random(in: 1 ... .max))
    let datagrams = world.size > 1 ? Datagrams(token: token) : nil
    let own = Member(host: ProcessInfo.processInfo.hostName, address: datagrams?.address)
    let members = try world.shared(world.gathered(own))
    let name = String(token, radix: 16)
    let page = ProgressPage(ranks: world.size, name: world.size > 1 ? name : nil)
    let progress = RankProgress(page, rank: world.rank)
    try world.barrier()
    if world.size > 1 { unlink(ProgressPage.path(name)) }
    if timeout > 0 {
      Watchdog(world.rank, page, members, datagrams, timeout: timeout, workDir: workDir).watch()
    }
    return progress
  }

  private init(
    _ rank: Int, _ page: ProgressPage, _ members: [Member], _ datagrams: Datagrams?, timeout: Double, workDir: String?
  ) {
    (self.rank, self.page, self.members, self.workDir) = (rank, page, members, workDir)
    rule = StallRule(timeout: timeout)
    period = min(1, timeout / 20)
    neighbours = members.indices.filter { page.load($0, .isHere) == 1 }
    self.datagrams = neighbours.count < members.count ? datagrams : nil
  }

  private func watch() {
    SystemThread.start("watchdog") { while true { self.look() } }
  }

  private func look() {
    let before = ProgressPage.now
    Thread.sleep(forTimeInterval: period)
    let now = ProgressPage.now
    if seconds(from: before, to: now) > 4 * period + 2 { wokeAt = now }
    page.store(now, rank, .heartbeat)
    exchange(now)
    let states = states(now)
    switch rule.verdict(states) {
    case .goesOn: break
    case .warning: warn(states, now)
    case .stalled: end("no rank got further for mpi.stall_timeout (\(StallRule.seconds(rule.timeout)))", states)
    }
    if isDeafToTermination(states, now) { end("a signal asks to end, and nobody can serve it", states) }
  }

  private func seconds(from start: UInt64, to end: UInt64) -> Double { end > start ? Double(end - start) * 1e-9 : 0 }

  // MARK: What is known

  private func states(_ now: UInt64) -> [RankState] {
    members.indices.compactMap { rank in
      let isHere = neighbours.contains(rank)
      let heard = page.load(rank, .heard)
      guard isHere || heard > 0 else { return nil }
      return RankState(
        rank: rank, step: Int(page.load(rank, .step)), place: Place(word: page.load(rank, .place)),
        number: Int(page.load(rank, .number)), age: seconds(from: max(page.load(rank, .since), wokeAt), to: now),
        unheard: isHere ? nil : seconds(from: heard, to: now))
    }
  }

  /// The first rank of the machine whose watchdog is awake tells the other machines.
  private func exchange(_ now: UInt64) {
    guard let datagrams else { return }
    for numbers in datagrams.receive() { note(numbers, now) }
    let awake = neighbours.first { $0 == rank || seconds(from: page.load($0, .heartbeat), to: now) < 4 * period + 2 }
    guard awake == rank else { return }
    let numbers = neighbours.map { rank in
      [UInt64(rank)] + [.step, .place, .number, .ticks].map { page.load(rank, $0) }
        + [now - min(now, page.load(rank, .since))]
    }
    datagrams.send(numbers, to: contacts)
  }

  /// Two ranks of each other machine.
  private lazy var contacts: [Datagrams.Address] = {
    let others = members.indices.filter { !neighbours.contains($0) }
    return Dictionary(grouping: others) { members[$0].host }.values.flatMap { ranks in
      ranks.prefix(2).compactMap { members[$0].address }
    }
  }()

  private func note(_ numbers: [UInt64], _ now: UInt64) {
    guard let rank = Int(exactly: numbers[0]), members.indices.contains(rank), !neighbours.contains(rank) else {
      return
    }
    for (field, value) in zip([ProgressPage.Field.step, .place, .number, .ticks], numbers[1...]) {
      page.store(value, rank, field)
    }
    page.store(now - min(now, numbers[5]), rank, .since)
    page.store(now, rank, .heard)
  }

  /// TERM came a while ago, and nothing has moved since.
  private func isDeafToTermination(_ states: [RankState], _ now: UInt64) -> Bool {
    guard !Signals.received.isDisjoint(with: [.terminate, .interrupt]) else {
      terminationAt = nil
      return false
    }
    let start = terminationAt ?? now
    terminationAt = start
    return rule.isDeaf(states, signalAge: seconds(from: start, to: now))
  }

  // MARK: What is said

  private func warn(_ states: [RankState], _ now: UInt64) {
    // One warning for each stall, by the first of the machine that comes here.
    let beginning = neighbours.map { page.load($0, .since) }.max() ?? 0
    let warned = page.load(.warned)
    guard warned < beginning, page.exchange(.warned, warned, beginning) else { return }
    say(
      "warning: \(text(states)); the run ends where this lasts for \(StallRule.seconds(rule.timeout)) (mpi.stall_timeout)"
    )
  }

  private func text(_ states: [RankState]) -> String { StallRule.description(states, hosts: members.map(\.host)) }

  private func end(_ reason: String, _ states: [RankState]) -> Never {
    if page.exchange(.speaker, 0, UInt64(rank) + 1) {
      // A disk or a reader of our words that hangs must not keep the process.
      let isSaid = DispatchSemaphore(value: 0)
      let message = "error: \(text(states))\n\(reason): this process ends; go on with --resume auto"
      let tell: @Sendable () -> Void = { [self] in
        say(message)
        page.store(1, .hasSpoken)
        keep(message)
        isSaid.signal()
      }
      if !SystemThread.startIfPossible("verdict", tell) { tell() }
      _ = isSaid.wait(timeout: .now() + 5)
    } else {
      for _ in 0..<60 where page.load(.hasSpoken) == 0 { Thread.sleep(forTimeInterval: 0.1) }
    }
    _exit(ExitCode.stalled.rawValue)
  }

  private func say(_ message: String) {
    LiveLine.printError("\(members.count == 1 ? "" : "[\(members[rank].host)] ")\(message)\n")
  }

  /// `stall_<time>.txt` in the work directory, of each machine one.
  private func keep(_ message: String) {
    guard let workDir else { return }
    let path = "\(workDir)/stall_\(FileStamp.text(Date()))_rank\(rank).txt"
    try? WholeFile.write("\(message)\n", to: path, safety: .renamed)
  }
}
