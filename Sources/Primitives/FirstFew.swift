/// The first few of many, for messages.
public enum FirstFew {
  /// `a, b, c, …`
  /// - Parameters:
  ///   - words: the words, or the first of them.
  ///   - most: how many are shown.
  ///   - count: of all, where these words are only the first of them.
  public static func words(_ words: some Collection<String>, most: Int, of count: Int? = nil) -> String {
    words.prefix(most).joined(separator: ", ") + ((count ?? words.count) > most ? ", …" : "")
  }

  /// `a, b, c, … (7 in all)`
  public static func counted(_ words: some Collection<String>, most: Int) -> String {
    Self.words(words, most: most) + (words.count > most ? " (\(words.count) in all)" : "")
  }

  /// Each indented on a line of its own, which begins with its break; then how many are left out.
  /// - Parameters:
  ///   - lines: the lines, or the first of them.
  ///   - most: how many are shown.
  ///   - count: of all, where these lines are only the first of them.
  public static func lines(_ lines: some Collection<String>, most: Int, of count: Int? = nil) -> String {
    let shown = lines.prefix(most)
    let rest = (count ?? lines.count) - shown.count
    return shown.map { "\n  \($0)" }.joined() + (rest > 0 ? "\n  … and \(rest) more" : "")
  }
}
