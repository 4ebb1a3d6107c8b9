import Foundation
import Primitives

/// Patterns of paths, for shells that were kept from expanding them: `*`, `?`, `[a-z]`, `{jpg,png}`, `~`, and `**` for
/// folders of any depth.
enum PathPattern {
  static func isPattern(_ text: String) -> Bool { text.hasPrefix("~") || text.contains { "*?[{".contains($0) } }

  /// The paths that match, by name, byte by byte, each once.
  static func paths(_ pattern: String) -> [String] {
    // By bytes: texts of one canonical form are equal, files of such names are not.
    Set(matches(pattern).map { Array($0.utf8) }).sorted { $0.lexicographicallyPrecedes($1) }
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// The folder that all matches are below: what comes before the first part with a sign of a pattern in it.
  static func root(of pattern: String) -> String {
    let parts = pattern.split(separator: "/", omittingEmptySubsequences: false)
    let literal = parts.prefix { !isPattern(String($0)) }.joined(separator: "/")
    return literal.isEmpty ? (pattern.hasPrefix("/") ? "/" : ".") : literal
  }

  private static func matches(_ pattern: String) -> [String] {
    let parts = pattern.split(separator: "/", omittingEmptySubsequences: false)
    guard let place = parts.firstIndex(of: "**") else { return expanded(pattern) }
    let before = parts[..<place].joined(separator: "/")
    let rest = place + 1 < parts.count ? parts[(place + 1)...].joined(separator: "/") : "*"
    let bases = place == 0 ? ["."] : before.isEmpty ? ["/"] : expanded(before)
    return bases.flatMap(foldersFrom).flatMap { matches(Folder.join(literal($0), rest)) }
  }

  /// A folder and all below it; links are not followed, which may lead back.
  private static func foldersFrom(_ folder: String) -> [String] {
    let below = (try? Folder.entries(of: folder))?.entries.filter { $0.kind == .folder } ?? []
    return [folder] + below.flatMap { foldersFrom(Folder.join(folder, $0.name)) }
  }

  private static func literal(_ path: String) -> String {
    path.reduce(into: "") { text, character in
      if "*?[]{}\\~".contains(character) { text += "\\" }
      text.append(character)
    }
  }

  /// The system's own.
  private static func expanded(_ pattern: String) -> [String] {
    var result = glob_t()
    defer { globfree(&result) }
    guard glob(pattern, GLOB_BRACE | GLOB_TILDE, nil, &result) == 0 else { return [] }
    return (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0].flatMap { String(validatingCString: $0) } }
  }
}
