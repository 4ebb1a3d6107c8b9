/// A part of a page, in HTML that is also well-formed XML. Whatever is put into its text is escaped, unless it is `Markup`
/// itself: names of classes and files and whole configurations come from elsewhere.
///
///     let row: Markup = "<tr><td>\(name)</td><td>\(cell)</td></tr>"
package struct Markup: ExpressibleByStringInterpolation, Sendable {
  package let text: String

  package init(stringLiteral value: String) { text = value }

  package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  /// Parts behind each other.
  package init(_ parts: [Markup], separator: Markup = "\n") {
    text = parts.map(\.text).joined(separator: separator.text)
  }

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

    package mutating func appendLiteral(_ literal: String) { text += literal }

    package mutating func appendInterpolation(_ part: Markup) { text += part.text }

    package mutating func appendInterpolation(_ parts: [Markup]) { text += Markup(parts).text }

    package mutating func appendInterpolation(_ foreign: String) { Markup.escape(foreign, into: &text) }

    package mutating func appendInterpolation(_ number: Int) { text += "\(number)" }

    /// A coordinate, to a tenth of a pixel.
    package mutating func appendInterpolation(_ coordinate: Double) { text += fixed(coordinate, 1) }
  }

  /// For elements and for attributes in double quotes. Characters that XML doesn't have become the replacement character.
  private static func escape(_ foreign: String, into text: inout String) {
    for scalar in foreign.unicodeScalars {
      switch scalar {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      case "'": text += "&#39;"
      case "\n", "\t": text.unicodeScalars.append(scalar)
      case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value & 0xfffe == 0xfffe:
        text += "\u{fffd}"
      default: text.unicodeScalars.append(scalar)
      }
    }
  }
}
