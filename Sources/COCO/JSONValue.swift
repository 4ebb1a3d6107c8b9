/// A JSON value as it stands in the text: whole numbers stay exact.
indirect enum JSONValue: Equatable, CustomStringConvertible {
  case null, object
  case boolean(Bool)
  /// A number without fraction and exponent that fits 64 bits.
  case integer(Int64)
  /// Any other number; infinite if it is beyond a double.
  case number(Double)
  case string(String)
  case array([JSONValue])

  /// A whole number, also if it is written `7.0`; nil for those that a double can't tell apart.
  var wholeNumber: Int64? {
    switch self {
    case .integer(let value): value
    case .number(let value) where value == value.rounded() && abs(value) <= 0x1p53: Int64(value)
    default: nil
    }
  }

  var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// For messages: `the string "7"`, `an array of 3`, `1.5`.
  var description: String {
    switch self {
    case .null: "null"
    case .object: "an object"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): value.isFinite ? "\(value)" : "a number beyond the range of a double"
    case .string(let text): "the string \"\(text.prefix(40))\""
    case .array(let elements): elements.isEmpty ? "an empty array" : "an array of \(elements.count)"
    }
  }
}

/// The members of an object that somebody asked for. They are few: looking one up is a walk.
struct JSONMembers {
  private var members: [(name: String, value: JSONValue)] = []

  subscript(name: String) -> JSONValue? { members.first { $0.name == name }?.value }

  mutating func append(_ name: String, _ value: JSONValue) { members.append((name, value)) }
}
