import MPI
import Primitives

/// What collectives this rank went through, as a number for each communicator. MPI itself does not notice when ranks are
/// in different ones: it adds unrelated arrays of equal size. Between two communicators there is no order to be kept: when
/// a bucket of gradients starts is a matter of timing, and the sums of a norm go out beside it.
public final class CollectiveOrder {
  /// What a collective is for; named in the message when ranks disagree.
  public enum Purpose: String, Sendable {
    case gradients, statistics, normalizers
    case parameters, evaluation, report

    /// The communicator on which it runs.
    var channel: Channel {
      switch self {
      case .gradients: .gradients
      case .statistics: .statistics
      case .normalizers: .normalizers
      case .parameters, .evaluation, .report: .world
      }
    }
  }

  package enum Channel: Int, CaseIterable, Sendable { case gradients, statistics, normalizers, world }

  private struct Entry {
    let purpose: Purpose
    let name: String
    let count: Int

    var description: String { "\(purpose.rawValue) \(name) (\(count) numbers)" }
  }

  /// By channel.
  private var rolling = [FNV1a](repeating: FNV1a(), count: Channel.allCases.count)
  private var sequences = [Int](repeating: 0, count: Channel.allCases.count)
  /// What came since the last check, for the message.
  private var entries = [[Entry]](repeating: [], count: Channel.allCases.count)
  /// Where the watchdog reads what this rank is in.
  let progress: RankProgress?
  /// How long this rank waited in collectives since the start.
  public private(set) var waitedSeconds = 0.0

  public init(progress: RankProgress? = nil) { self.progress = progress }

  /// The FNV-1a hash over (sequence, purpose, name, count) of every collective since the start, channel by channel.
  public var hash: UInt64 {
    var all = FNV1a()
    for channel in rolling { all.add(channel.value) }
    return all.value
  }

  /// To be called before each collective. `name` says which one of its purpose, `count` how many numbers it carries.
  public func record(_ purpose: Purpose, _ name: String, count: Int) {
    let channel = purpose.channel.rawValue
    sequences[channel] += 1
    rolling[channel].add(UInt64(sequences[channel]))
    rolling[channel].add(purpose.rawValue.utf8)
    rolling[channel].add(name.utf8)
    rolling[channel].add(UInt64(count))
    entries[channel].append(Entry(purpose: purpose, name: name, count: count))
    progress?.enter(purpose.channel, number: sequences[channel])
  }

  /// Runs what waits for the other ranks, so that the watchdog knows.
  func waiting<Result>(_ body: () throws -> Result) rethrows -> Result {
    let start = ContinuousClock.now
    defer { waitedSeconds += (ContinuousClock.now - start) / .seconds(1) }
    guard let progress else { return try body() }
    return try progress.waiting(body)
  }

  /// All ranks agreed: what lies before need not be told.
  func forget() {
    for channel in entries.indices { entries[channel].removeAll(keepingCapacity: true) }
  }

  /// Says which rank went another way, and where. Collective, and the same on all ranks.
  func disagreement(step: Int, world: World) throws -> CollectiveOrderError {
    // Channels are apart by an empty line.
    let texts = entries.map { $0.map(\.description).joined(separator: "\n") }
    let all = try world.gather(Array(texts.joined(separator: "\n\n").utf8))
    let ways = all.map { bytes in
      String(decoding: bytes, as: UTF8.self).components(separatedBy: "\n\n").map { channel in
        channel.split(separator: "\n").map(String.init)
      }
    }
    return CollectiveOrderError(description: try world.shared(Self.description(of: ways, step: step)))
  }

  /// - Parameter ways: by rank, channel and place.
  private static func description(of ways: [[[String]]], step: Int) -> String {
    let beginning = "the ranks went through different collectives in step \(step)"
    for channel in Channel.allCases.map(\.rawValue) {
      let ways = ways.map { channel < $0.count ? $0[channel] : [] }
      for place in 0..<(ways.map(\.count).max() ?? 0) {
        let entries = ways.map { place < $0.count ? $0[place] : "nothing more" }
        guard let vote = OddOneOut(in: entries) else { continue }
        return "\(beginning): rank \(vote.odd) was in '\(entries[vote.odd])' where rank \(vote.usual) was in "
          + "'\(entries[vote.usual])'; its sums are wrong. This is a bug of rcnn-train"
      }
    }
    return "\(beginning), or in the steps before it. This is a bug of rcnn-train"
  }
}

/// Ranks that were in different collectives at a time, in a sentence.
public struct CollectiveOrderError: ReportedError {
  public let description: String
  public var exitCode: ExitCode { .software }
  public var scope: ErrorScope { .allRanks }
}
