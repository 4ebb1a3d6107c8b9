/// Looks for numbers with which no training can go on.
public enum Soundness {
  /// The place of the first of `count` values that is not a number, not finite, or of a magnitude beyond `limit`; nil where
  /// all are sound.
  public static func firstUnsound(_ values: UnsafePointer<Float>, count: Int, limit: Float) -> Int? {
    let block = 4096
    for start in stride(from: 0, to: count, by: block) {
      let end = min(start + block, count)
      var unsound: Int32 = 0
      // Without a branch, so that it becomes vectors. Comparisons with NaN are false.
      for i in start..<end { unsound |= abs(values[i]) <= limit ? 0 : 1 }
      if unsound != 0 { return (start..<end).first { !(abs(values[$0]) <= limit) } }
    }
    return nil
  }
}
