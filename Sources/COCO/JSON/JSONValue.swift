import Primitives

/// A JSON value as it stands in the text: whole numbers stay exact.
enum JSONValue: Equatable, CustomStringConvertible {
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
    case .number(let value) where value.isInfinite: "a number beyond the range of a double"
    case .number(let value): value.isNaN ? "NaN" : "\(value)"
    case .string(let text): "the string \"\(text.prefix(40))\""
    case .array(let elements): elements.isEmpty ? "an empty array" : "an array of \(elements.count)"
    }
  }
}

/// A key of an object. Keys of up to 16 bytes are compared as two numbers; longer ones differ from all of those.
struct JSONKey: Equatable {
  private var low: UInt64 = 0
  private var high: UInt64 = 0
  private var count: Int

  /// - Precondition: at most 16 bytes of UTF-8.
  init(_ name: String) {
    require(name.utf8.count <= 16, "only short keys can be told apart")
    self.init(Array(name.utf8))
  }

  init(_ bytes: [UInt8]) {
    count = bytes.count
    for (index, byte) in bytes.prefix(16).enumerated() {
      if index < 8 { low |= UInt64(byte) << (8 * index) } else { high |= UInt64(byte) << (8 * (index - 8)) }
    }
  }

  init(_ text: JSONText, _ range: Range<Int>) {
    count = range.count
    low = text.word(at: range.lowerBound) & Self.mask(count)
    high = text.word(at: range.lowerBound + 8) & Self.mask(count - 8)
  }

  private static func mask(_ bytes: Int) -> UInt64 { bytes >= 8 ? .max : bytes <= 0 ? 0 : 1 << UInt64(8 * bytes) - 1 }
}
