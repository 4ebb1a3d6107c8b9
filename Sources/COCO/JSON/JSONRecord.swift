import Primitives

/// One image, category or annotation: where its members stand, and how to name it in an error.
struct JSONRecord {
  private let names: [String]
  private let keys: [JSONKey]
  private let noun: String
  private let section: String
  private let path: String
  /// The reader behind the record, which keeps the text, and where in its text the value of each key begins; -1 for none.
  private var reader: JSONReader?
  private var places: [Int]
  private var index = 0

  /// - Parameter names: the members that will be asked for; others are stepped over.
  init(_ names: [String], noun: String, section: String, path: String) {
    (self.names, self.noun, self.section, self.path) = (names, noun, section, path)
    keys = names.map { JSONKey($0) }
    places = names.map { _ in -1 }
  }

  /// Reads the next object, number `index` of its section.
  mutating func read(_ reader: inout JSONReader, index: Int) throws {
    self.index = index
    for key in places.indices { places[key] = -1 }
    reader.keepsText = true
    try reader.enterObject()
    while let key = try reader.nextKey() {
      if let known = keys.firstIndex(of: key) {
        guard places[known] < 0 else {
          throw reader.failure("the key '\(names[known])' stands twice in one object")
        }
        _ = try reader.kind()
        places[known] = reader.position
      }
      try reader.skip()
    }
    self.reader = reader
    reader.keepsText = false
  }

  func failure(_ message: String) -> COCOError {
    let id = (try? member("id")).flatMap { FileIdentifier($0) }
    return COCOError(at: path, "\(id.map { "\(noun) \($0)" } ?? "\(section)[\(index)]"): \(message)")
  }

  /// The value of a key, nil where it is absent.
  private func member(_ name: String) throws -> JSONValue? {
    guard let place = place(name) else { return nil }
    return try reader?.value(at: place)
  }

  private func place(_ name: String) -> Int? {
    guard let key = names.firstIndex(of: name) else { bug("'\(name)' is none of \(names)") }
    return places[key] < 0 ? nil : places[key]
  }

  private func value(_ name: String) throws -> JSONValue {
    guard let value = try member(name) else { throw failure("it has no '\(name)'") }
    return value
  }

  func wholeNumber(_ name: String) throws -> Int64 {
    let value = try value(name)
    guard let number = value.wholeNumber else {
      throw failure("its '\(name)' is \(value); a whole number of at most 64 bits is expected")
    }
    return number
  }

  /// An id of an image or an annotation.
  /// - Parameter identifiers: those of the same kind that were met before.
  func identifier(_ name: String, _ identifiers: inout TextIdentifiers, form: inout TextIdentifiers.Form?) throws
    -> Int64
  {
    let value = try value(name)
    guard let identifier = FileIdentifier(value) else {
      throw failure("its '\(name)' is \(value); a whole number of at most 64 bits is expected")
    }
    switch identifier {
    case .number(let number):
      if form == .texts { throw failure("its '\(name)' is \(value); a text is expected, as in those before it") }
      form = .numbers
      return number
    case .text(let text):
      if form == .numbers {
        throw failure(
          "its '\(name)' is \(value); a whole number of at most 64 bits is expected, as in those before it")
      }
      form = .texts
      return identifiers.number(of: text)
    }
  }

  func text(_ name: String) throws -> String {
    let value = try value(name)
    guard case .string(let text) = value else { throw failure("its '\(name)' is \(value); a string is expected") }
    return text
  }

  func number(_ name: String, default defaultValue: Double) throws -> Double {
    guard let value = try member(name) else { return defaultValue }
    guard let number = value.double, number.isFinite else {
      throw failure("its '\(name)' is \(value); a finite number is expected")
    }
    return number
  }

  /// Whether a key is there and holds more than null.
  func has(_ name: String) -> Bool {
    guard let place = place(name), let reader else { return false }
    return reader.text[place] != UInt8(ascii: "n")
  }

  /// Absent and null are false, and numbers may have a point (`0.0`).
  func flag(_ name: String) throws -> Bool {
    switch try member(name) {
    case nil, .null: return false
    case .boolean(let isOn): return isOn
    case .some(let value):
      guard let number = value.wholeNumber, number == 0 || number == 1 else {
        throw failure("its '\(name)' is \(value); 0 or 1 is expected")
      }
      return number == 1
    }
  }

  /// Four numbers that are finite, also as 32-bit floats and in sums of two.
  func box(_ name: String) throws -> SIMD4<Double> {
    let limit = 1e30
    if let place = place(name), let numbers = try reader?.fourNumbers(at: place),
      all(numbers .> -limit .& numbers .< limit)
    {
      return numbers
    }
    let value = try value(name)
    guard case .array(let elements) = value, elements.count == 4 else {
      throw failure("its '\(name)' is \(value); [x, y, width, height] is expected")
    }
    for element in elements where !(element.double.map { abs($0) < limit } ?? false) {
      throw failure("its '\(name)' holds \(element); numbers of pixels are expected")
    }
    bug("four numbers within the limit were not read as such")
  }
}
