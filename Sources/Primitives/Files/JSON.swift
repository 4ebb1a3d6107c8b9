import Foundation

/// JSON that is written. What JSON can't hold, a number that is not finite, becomes null. (`COCO` reads JSON with a
/// reader of its own, because its files are large and its messages name places.)
public enum JSON: Sendable {
  case null
  case boolean(Bool)
  case integer(Int)
  /// Whole numbers up to 2^64, such as seeds.
  case unsigned(UInt64)
  /// With all the digits that tell it from its neighbours, unless the style says otherwise.
  case number(Double)
  /// With so many digits after the point.
  case decimal(Double, digits: Int)
  case text(String)
  case array([JSON])
  /// In the order given.
  case object([(String, JSON)])

  /// What stands between the parts, and how many digits a `number` has.
  public struct Style: Sendable {
    let colon: String
    let comma: String
    /// Significant digits; nil for all that matter.
    let digits: Int?

    init(colon: String, comma: String, digits: Int? = nil) {
      (self.colon, self.comma, self.digits) = (colon, comma, digits)
    }

    /// `{"a":1,"b":2}`
    public static let compact = Style(colon: ":", comma: ",")
    /// `{"a": 1, "b": 2}`, as Python's
    public static let spaced = Style(colon: ": ", comma: ", ")
    /// `spaced` with nine significant digits in each `number`.
    public static let log = Style(colon: ": ", comma: ", ", digits: 9)
  }

  /// The JSON text, on one line.
  public func text(_ style: Style = .spaced) -> String {
    var text = ""
    write(to: &text, style)
    return text
  }

  /// The parts of an object or an array on a line each, behind `indentation`; they themselves in one style.
  public func lines(_ style: Style = .spaced, indentation: String = "  ") -> String {
    switch self {
    case .array(let elements):
      "[\n" + elements.map { indentation + $0.text(style) }.joined(separator: ",\n") + "\n]\n"
    case .object(let members):
      "{\n" + members.map { indentation + Self.quoted($0.0) + style.colon + $0.1.text(style) }.joined(separator: ",\n")
        + "\n}\n"
    default: text(style) + "\n"
    }
  }

  private func write(to text: inout String, _ style: Style) {
    switch self {
    case .null: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .unsigned(let value): text += "\(value)"
    case .number(let value) where value.isFinite:
      text += style.digits.map { String(format: "%.\($0)g", value) } ?? "\(value)"
    case .decimal(let value, let digits) where value.isFinite: text += String(format: "%.\(digits)f", value)
    case .number, .decimal: text += "null"
    case .text(let value): text += Self.quoted(value)
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += style.comma }
        element.write(to: &text, style)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += style.comma }
        text += Self.quoted(member.0) + style.colon
        member.1.write(to: &text, style)
      }
      text += "}"
    }
  }

  private static func quoted(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20: text += String(format: "\\u%04x", scalar.value)
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
