import Foundation
import Primitives

/// How classes are called in drawn pictures, whose font has the printable ASCII characters alone.
///
/// Accents are left away (`niño` becomes `nino`), and any other name becomes its category id (`#3`), as does one that would
/// look like another class's.
public struct ClassCaptions: Sendable {
  /// One a class.
  public let texts: [String]
  /// Which names are drawn otherwise, in a sentence; nil where none is.
  public let notice: String?

  /// - Parameters:
  ///   - names: one a class.
  ///   - ids: the category id of each.
  public init(names: [String], ids: [Int64]) {
    let plain = names.map(Self.plain)
    let counts = Dictionary(plain.compactMap { $0.map { ($0, 1) } }, uniquingKeysWith: +)
    texts = zip(zip(names, plain), ids).map { pair, id in
      let (name, plain) = pair
      guard let plain, plain == name || counts[plain] == 1 else { return "#\(id)" }
      return plain
    }
    let others = zip(names, texts).filter { !$0.utf8.elementsEqual($1.utf8) }.map { "\($0) as \($1)" }
    let list = FirstFew.counted(others, most: 5)
    notice = others.isEmpty ? nil : "the font of drawn pictures has ASCII characters alone; there \(list)"
  }

  /// Without accents; nil where that isn't printable ASCII.
  private static func plain(_ name: String) -> String? {
    var text = ""
    for scalar in name.decomposedStringWithCanonicalMapping.unicodeScalars {
      if scalar.properties.generalCategory == .nonspacingMark { continue }
      guard (32..<127).contains(scalar.value) else { return nil }
      text.unicodeScalars.append(scalar)
    }
    return text.allSatisfy { $0 == " " } ? nil : text
  }
}
