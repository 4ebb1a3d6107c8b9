import MPI

/// What the ranks tell each other in each step, in one vector of fixed length and one collective: a rank without
/// RoIs has the same losses as the others, with the value 0.
public struct StepReport: Equatable, Sendable {
  /// Sums over this rank's images, later over all; in an order that all ranks share.
  public var losses: [Double]
  /// Numbers of samples, of correct predictions, …; added like the losses.
  public var counts: [Double]
  /// On how many ranks a loss or a gradient is not finite.
  public var nonFiniteRanks: Int
  /// How many pictures of the batch could not be used.
  public var badPictures: Int
  /// The signals that came to this rank, later to any.
  public var signals: ReceivedSignals

  public init(
    losses: [Double], counts: [Double], isFinite: Bool = true, badPictures: Int = 0, signals: ReceivedSignals = []
  ) {
    (self.losses, self.counts, self.badPictures, self.signals) = (losses, counts, badPictures, signals)
    nonFiniteRanks = isFinite ? 0 : 1
  }

  /// The sums over all ranks, the same on all. Throws `CollectiveOrderError` if the ranks came here through
  /// different collectives. Collective, on messages that no other collective uses.
  public func summed(over world: World, order: CollectiveOrder, step: Int) throws -> StepReport {
    guard world.size > 1 else {
      order.forget()
      return self
    }
    let signalFlags = ReceivedSignals.each.map { signals.contains($0) ? 1.0 : 0 }
    let numbers = [Double(nonFiniteRanks), Double(badPictures)]
    var vector = Self.agreement(order.hash) + numbers + signalFlags + losses + counts
    order.progress?.enter(.world, number: step)
    try order.waiting { try world.sum(&vector) }
    guard Self.isAgreed(vector, ranks: world.size) else { throw try order.disagreement(step: step, world: world) }
    order.forget()
    var sums = vector.dropFirst(8)
    var result = self
    result.nonFiniteRanks = Int(sums.removeFirst())
    result.badPictures = Int(sums.removeFirst())
    result.signals = ReceivedSignals(ReceivedSignals.each.filter { _ in sums.removeFirst() > 0 })
    result.losses = Array(sums.prefix(losses.count))
    result.counts = Array(sums.dropFirst(losses.count))
    return result
  }

  /// The four 16-bit parts p of a hash, each as p and p².
  private static func agreement(_ hash: UInt64) -> [Double] {
    stride(from: 0, to: 64, by: 16).flatMap { shift in
      let part = Double(hash >> shift & 0xffff)
      return [part, part * part]
    }
  }

  /// n Σp² = (Σp)² only where all p are equal (Cauchy–Schwarz); all of it whole numbers, exact up to 2²¹ ranks.
  private static func isAgreed(_ sums: [Double], ranks: Int) -> Bool {
    stride(from: 0, to: 8, by: 2).allSatisfy { i in
      let product = Int(sums[i]).multipliedFullWidth(by: Int(sums[i]))
      return product == ranks.multipliedFullWidth(by: Int(sums[i + 1]))
    }
  }
}
