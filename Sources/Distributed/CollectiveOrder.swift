import MPI
import Primitives

/// What collectives this rank went through, as one number. MPI itself does not notice when ranks are in different
/// ones: it adds unrelated arrays of equal size.
public final class CollectiveOrder {
  /// What a collective is for; named in the message when ranks disagree.
  public enum Purpose: String, Sendable { case gradients, statistics, parameters, normalizers, evaluation }

  /// The rolling FNV-1a hash over (sequence, purpose, name, count) of every collective since the start.
  public var hash: UInt64 { rolling.value }
  private var rolling = FNV1a()
  private var sequence = 0
  /// What came since the last check, for the message.
  private var entries: [String] = []

  public init() {}

  /// To be called before each collective. `name` says which one of its purpose, `count` how many numbers it carries.
  public func record(_ purpose: Purpose, _ name: String, count: Int) {
    sequence += 1
    let entry = "\(purpose.rawValue) \(name) (\(count) numbers)"
    rolling.add("\(sequence) \(entry)".utf8)
    entries.append(entry)
  }

  /// All ranks agreed: what lies before need not be told.
  func forget() { entries.removeAll(keepingCapacity: true) }

  /// Says which rank went another way, and where. Collective, and the same on all ranks.
  func disagreement(step: Int, world: World) throws -> CollectiveOrderError {
    let all = try world.gather(Array(entries.joined(separator: "\n").utf8))
    let ways = all.map { String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init) }
    return CollectiveOrderError(description: try world.shared(Self.description(of: ways, step: step)))
  }

  private static func description(of ways: [[String]], step: Int) -> String {
    let beginning = "the ranks went through different collectives in step \(step)"
    for place in 0..<(ways.map(\.count).max() ?? 0) {
      let entries = ways.map { place < $0.count ? $0[place] : "nothing more" }
      let votes = Dictionary(grouping: entries.indices) { entries[$0] }
      guard votes.count > 1 else { continue }
      // The majority's way; in a tie, that of the lowest rank.
      let usual = votes.max { ($0.value.count, -$0.value[0]) < ($1.value.count, -$1.value[0]) }!.key
      let odd = entries.indices.first { entries[$0] != usual }!
      let witness = entries.indices.first { entries[$0] == usual }!
      return "\(beginning): rank \(odd) was in '\(entries[odd])' where rank \(witness) was in '\(usual)'; "
        + "its sums are wrong. This is a bug of rcnn-train"
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
