import Detection

/// What a step logs of its losses: the values of the detector's terms over the global batch, in their order.
public struct LossValues: Equatable, Sendable {
  public let terms: LossTerms
  /// One for each term.
  public let values: [Double]

  public init(_ terms: LossTerms, _ values: [Double]) { (self.terms, self.values) = (terms, values) }

  /// The loss that training minimises.
  public var total: Double { zip(terms.terms, values).reduce(0) { $1.0.isSummed ? $0 + $1.1 : $0 } }
  public var isFinite: Bool { total.isFinite }

  /// For the log: each term by its name, and `loss`, the total, at the end.
  public var named: [(name: String, value: Double)] {
    zip(terms.terms, values).map { ($0.name, $1) } + [("loss", total)]
  }

  /// The parts of the total with two digits, for messages.
  var summary: String {
    zip(terms.terms, values).filter(\.0.isSummed).map { "\($0.name) \(fixed($1, 2))" }.joined(separator: ", ")
  }
}
