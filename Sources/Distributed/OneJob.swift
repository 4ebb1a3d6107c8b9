import Foundation
import MPI
import Primitives

/// Something that all ranks of one job have in common.
public struct JobFact: Codable, Equatable, Sendable {
  public let key: String
  public let value: String

  public init(_ key: String, _ value: String) { (self.key, self.value) = (key, value) }
}

/// A fact that is not the same on all ranks.
public struct JobDifference: Codable, Equatable, Sendable {
  public struct Side: Codable, Equatable, Sendable {
    public let rank: Int
    public let host: String
    /// nil where the rank does not have the key.
    public let value: String?
  }

  public let key: String
  /// The first rank that is not as most are, and the first of these.
  public let odd: Side
  public let usual: Side

  /// "'optimizer.lr' is 0.02 on rank 1 (b) and 0.01 on rank 0 (a)".
  public var sentence: String {
    func text(_ side: Side) -> String {
      let value = side.value.map { $0.count > 200 ? "\($0.prefix(200))…" : $0.isEmpty ? "''" : $0 } ?? "absent"
      return "\(value) on rank \(side.rank) (\(side.host))"
    }
    return "'\(key)' is \(text(odd)) and \(text(usual))"
  }
}

/// Ranks that were started for different jobs would train something that is neither, or wait for each other for ever.
public enum OneJob {
  /// The first fact, in the usual rank's order, in which ranks differ; the same answer on all of them. What is sent is of
  /// one size whatever the facts are, unless they differ. Collective.
  /// - Throws: `MPIError`.
  public static func difference(_ facts: [JobFact], in world: World) throws -> JobDifference? {
    guard world.size > 1 else { return nil }
    var hash = FNV1a()
    for fact in facts {
      hash.add(fact.key.utf8)
      hash.add(CollectionOfOne(0))
      hash.add(fact.value.utf8)
      hash.add(CollectionOfOne(0))
    }
    guard try !world.isSame(hash.value) else { return nil }
    return try world.shared(first(in: world.gathered(facts), hosts: world.hostNames()))
  }

  /// - Parameters:
  ///   - all: by rank.
  ///   - hosts: by rank.
  package static func first(in all: [[JobFact]], hosts: [String]) -> JobDifference? {
    let values = all.map { Dictionary($0.map { ($0.key, $0.value) }) { first, _ in first } }
    let keys = all.joined().map(\.key)
    var seen: Set<String> = []
    for key in keys where seen.insert(key).inserted {
      guard let vote = OddOneOut(in: values.map { $0[key] }) else { continue }
      func side(_ rank: Int) -> JobDifference.Side {
        JobDifference.Side(rank: rank, host: hosts[rank], value: values[rank][key])
      }
      return JobDifference(key: key, odd: side(vote.odd), usual: side(vote.usual))
    }
    return nil
  }
}
