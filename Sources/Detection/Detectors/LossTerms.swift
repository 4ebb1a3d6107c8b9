import Tensors

/// A number that each training step reports.
public struct LossTerm: Equatable, Sendable {
  /// mmdetection's name, as in its log.
  public let name: String
  /// Whether it is part of the loss that training minimises.
  public let isSummed: Bool
  /// The count that it is divided by, as a place in `LossTerms.counts`; nil: none.
  public let divisor: Int?

  public init(_ name: String, isSummed: Bool = true, divisor: Int?) {
    (self.name, self.isSummed, self.divisor) = (name, isSummed, divisor)
  }
}

/// What a detector reports of a step. It says so once, when it is built: the same on every rank and in every step,
/// whatever the data. The report's vector, the log's line and keys and the divisors all follow from this.
public struct LossTerms: Equatable, Sendable {
  /// In the order of the log.
  public let terms: [LossTerm]
  /// What is counted, for messages: sampled anchors, sampled RoIs, …
  public let counts: [String]

  public init(_ terms: [LossTerm], counts: [String]) { (self.terms, self.counts) = (terms, counts) }

  /// The same of one stage of a cascade, in mmdetection's names: `s0.loss_cls`.
  func ofStage(_ stage: Int) -> LossTerms {
    LossTerms(
      terms.map { LossTerm("s\(stage).\($0.name)", isSummed: $0.isSummed, divisor: $0.divisor) },
      counts: counts.map { "\($0) of stage \(stage)" })
  }

  /// Those of one part of a detector, then those of another, each with its own counts.
  public static func + (first: LossTerms, second: LossTerms) -> LossTerms {
    let moved = second.terms.map { term in
      LossTerm(term.name, isSummed: term.isSummed, divisor: term.divisor.map { $0 + first.counts.count })
    }
    return LossTerms(first.terms + moved, counts: first.counts + second.counts)
  }
}

/// A term's value on this rank. The values of all ranks are to be added.
public enum TermValue {
  /// A summed term: a scalar on the tape, divided already.
  case loss(Tensor)
  /// Another one, still to be divided by its count over all ranks.
  case number(Double)

  public var value: Double {
    switch self {
    case .loss(let scalar): Double(scalar.values[0])
    case .number(let number): number
    }
  }
}

/// A step between its two phases: all is forwarded and counted, nothing is divided yet. So there is one summation of
/// counts over the ranks, and the data never decide how many collectives run. All lengths follow from `LossTerms`.
public struct PendingLosses {
  /// This rank's counts.
  public let counts: [Double]
  /// The values of the terms, given the counts to divide by: those of all ranks, or this rank's own. Records the losses
  /// on the tape.
  public let finish: (_ counts: [Double]) throws -> [TermValue]

  public init(counts: [Double], finish: @escaping (_ counts: [Double]) throws -> [TermValue]) {
    (self.counts, self.finish) = (counts, finish)
  }

  /// In the order of `LossTerms`' sum.
  public static func + (first: PendingLosses, second: PendingLosses) -> PendingLosses {
    let split = first.counts.count
    return PendingLosses(counts: first.counts + second.counts) { counts in
      try first.finish(Array(counts[..<split])) + second.finish(Array(counts[split...]))
    }
  }
}

extension [TermValue] {
  /// The sum of the losses, a scalar, from which the backward pass starts.
  public var total: Tensor {
    Tensor.sum(of: compactMap { if case .loss(let scalar) = $0 { scalar } else { nil } })
  }
}
