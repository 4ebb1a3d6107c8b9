/// Two ranks that show where ranks differ.
struct OddOneOut {
  /// The first rank that is not as most are, or in a tie as the lowest rank is.
  let odd: Int
  /// The first that is.
  let usual: Int

  /// nil where all are alike.
  /// - Parameter values: by rank.
  init?<Value: Hashable>(in values: [Value]) {
    let groups = Dictionary(grouping: values.indices) { values[$0] }.values
    guard let usual = groups.max(by: { ($0.count, -$0[0]) < ($1.count, -$1[0]) })?[0],
      let odd = values.indices.first(where: { values[$0] != values[usual] })
    else { return nil }
    (self.odd, self.usual) = (odd, usual)
  }
}
