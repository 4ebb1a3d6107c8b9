import Testing

/// Expects the numbers to agree within `absolute + relative · |expected|`, element by element; NaN agrees with NaN
/// and an infinity with itself. Reports the worst element.
public func expectClose(
  _ actual: [Float], _ expected: [Float], absolute: Float = 0, relative: Float = 0, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == expected.count else {
    Issue.record("\(what): \(actual.count) numbers, not \(expected.count)", sourceLocation: sourceLocation)
    return
  }
  var worst: (excess: Float, index: Int)?
  for i in actual.indices where !(actual[i] == expected[i] || (actual[i].isNaN && expected[i].isNaN)) {
    let difference = abs(actual[i] - expected[i])
    let excess = difference - (absolute + relative * abs(expected[i]))
    if !(excess <= 0), !(excess <= worst?.excess ?? 0) { worst = (excess.isNaN ? .infinity : excess, i) }
  }
  if let worst {
    Issue.record(
      "\(what): element \(worst.index) is \(actual[worst.index]), not \(expected[worst.index])",
      sourceLocation: sourceLocation)
  }
}

/// Expects equal numbers, and reports the first that differs. `#expect(a == b)` looks for the shortest way from one array
/// to the other where they differ, which takes minutes for long ones.
public func expectSame(
  _ actual: [Float], _ expected: [Float], _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == expected.count else {
    Issue.record("\(what): \(actual.count) numbers, not \(expected.count)", sourceLocation: sourceLocation)
    return
  }
  guard let first = actual.indices.first(where: { actual[$0] != expected[$0] }) else { return }
  Issue.record(
    "\(what): element \(first) is \(actual[first]), not \(expected[first])", sourceLocation: sourceLocation)
}

/// Expects the largest difference to be at most `tolerance` times the largest expected magnitude that is finite.
public func expectCloseToMaximum(
  _ actual: [Float], _ expected: [Float], _ tolerance: Float, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let maximum = expected.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
  expectClose(actual, expected, absolute: tolerance * maximum, what, sourceLocation: sourceLocation)
}
