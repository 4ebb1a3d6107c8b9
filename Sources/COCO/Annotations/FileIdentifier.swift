import Primitives

/// An id of an image or an annotation as its file writes it: a whole number, or a text such as camera traps have.
///
/// Inside, ids are numbers: they are keys of random draws and of tables. A text's number is its rank among the texts.
public enum FileIdentifier: Hashable, Sendable, CustomStringConvertible {
  case number(Int64)
  case text(String)

  /// nil where a value is neither.
  init?(_ value: JSONValue) {
    if let number = value.wholeNumber {
      self = .number(number)
    } else if case .string(let text) = value {
      self = .text(text)
    } else {
      return nil
    }
  }

  /// nil for a text.
  public var number: Int64? { if case .number(let number) = self { number } else { nil } }

  /// For messages: `42`, `"2163…"`.
  public var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .text(let text): "\"\(text)\""
    }
  }

  /// For results files.
  public var json: JSON {
    switch self {
    case .number(let number): .integer(Int(number))
    case .text(let text): .text(text)
    }
  }
}

extension FileIdentifier: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int64) { self = .number(value) }
}

extension FileIdentifier: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Int64.self) {
      self = .number(number)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .number(let number): try container.encode(number)
    case .text(let text): try container.encode(text)
    }
  }
}

/// The ids of one kind that are texts, and a number for each: from 1, since pycocotools takes 0 for none. Texts are equal
/// where their bytes are, as in Python.
struct TextIdentifiers {
  enum Form { case numbers, texts }

  private(set) var texts: [[UInt8]] = []
  private var numbers: [[UInt8]: Int64] = [:]

  /// At first in the order in which they are met.
  mutating func number(of text: String) -> Int64 {
    let bytes = Array(text.utf8)
    if let number = numbers[bytes] { return number }
    texts.append(bytes)
    numbers[bytes] = Int64(texts.count)
    return Int64(texts.count)
  }

  /// What a number stands for.
  func identifier(_ number: Int64) -> FileIdentifier { .text(String(decoding: texts[Int(number) - 1], as: UTF8.self)) }

  /// Gives them the numbers of their order by bytes, which is Python's: pycocotools goes through the images so.
  /// - Returns: the new number of each, behind a 0.
  mutating func sort() -> [Int64] {
    let order = texts.indices.sorted { texts[$0].lexicographicallyPrecedes(texts[$1]) }
    var ranks = [Int64](repeating: 0, count: texts.count + 1)
    for (rank, place) in order.enumerated() { ranks[place + 1] = Int64(rank + 1) }
    texts = order.map { texts[$0] }
    numbers = [:]
    return ranks
  }
}
