/// An array of NumPy in a pickle: nothing of NumPy's is run, its numbers are read where they lie. A pickle may refer to an
/// array before it says what is in it.
final class NumpyArray {
  /// What a pickle says of an array's numbers.
  enum Content {
    case raw(ArraySlice<UInt8>)
    /// As text whose characters stand for the bytes: so protocol 2 writes them.
    case latin1(ArraySlice<UInt8>)
  }

  private(set) var shape: [Int] = []
  private var type: NumpyType?
  private var content = Content.raw([])
  private var isColumnMajor = false

  /// Takes over what a `BUILD` or a call says: shape, type, order, content.
  func fill(shape: PickleValue?, type: PickleValue?, isColumnMajor: Bool, _ content: PickleValue?) throws {
    guard let shape = shape?.integers, shape.allSatisfy({ $0 >= 0 }), case .numpyType(let type)? = type else {
      throw PickleReader.malformed
    }
    switch content {
    case .bytes(let bytes)?, .text(let bytes)?: self.content = .raw(bytes)
    case .encodedText(let text)?: self.content = .latin1(text)
    case .object(let name)?: throw PickleReader.Failure("it holds an array of '\(name)', expected numbers")
    default: throw PickleReader.Failure("it holds an array of objects, expected numbers")
    }
    (self.shape, self.type, self.isColumnMajor) = (shape, type, isColumnMajor)
  }

  /// Row by row.
  /// - Throws: `PickleReader.Failure` where they aren't as many as the shape says, or of another kind.
  func floats() throws -> [Float] {
    guard let format = try type?.format() else { throw PickleReader.malformed }
    let bytes =
      switch content {
      case .raw(let bytes): bytes
      case .latin1(let text): try Self.bytes(text)[...]
      }
    var count = format.size
    for extent in shape {
      let (product, isTooLarge) = count.multipliedReportingOverflow(by: extent)
      guard !isTooLarge else { throw PickleReader.malformed }
      count = product
    }
    guard count == bytes.count else {
      throw PickleReader.Failure("it holds an array of the shape \(shape) that has \(bytes.count) bytes")
    }
    let values = format.floats(bytes)
    guard isColumnMajor, shape.count == 2 else { return values }
    return (0..<values.count).map { values[$0 % shape[1] * shape[0] + $0 / shape[1]] }
  }

  /// The characters of UTF-8 text below 256, each a byte.
  private static func bytes(_ text: ArraySlice<UInt8>) throws -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var rest = text.makeIterator()
    while let byte = rest.next() {
      guard byte >= 0x80 else {
        bytes.append(byte)
        continue
      }
      guard byte & 0xfe == 0xc2, let next = rest.next(), next & 0xc0 == 0x80 else { throw PickleReader.malformed }
      bytes.append(byte << 6 | next & 0x3f)
    }
    return bytes
  }
}

/// NumPy's `dtype` in a pickle, which a later code completes with the order of bytes.
final class NumpyType {
  private let name: String
  private var order = "="

  init(_ name: String) { self.name = name }

  /// The state of a `BUILD`: version, order of bytes, ….
  func fill(_ state: [PickleValue]) {
    if state.count > 1, let order = state[1].string { self.order = order }
  }

  fileprivate func format() throws -> NumberFormat {
    guard order != ">" else { throw PickleReader.Failure("it holds big-endian numbers") }
    switch name {
    case "f4": return .float
    case "f8": return .double
    case "f2": return .half
    case "i4": return .int32
    case "i8": return .int64
    default: throw PickleReader.Failure("it holds an array of type '\(name)', expected f4 or another of numbers")
    }
  }
}

extension PickleReader {
  /// What a call of NumPy's makes; nil for other names. NumPy 2 has a module of another name.
  static func numpyValue(_ name: String, _ arguments: [PickleValue]) throws -> PickleValue? {
    switch name.replacing("numpy._core.", with: "numpy.core.") {
    case "numpy.core.multiarray._reconstruct": return .array(NumpyArray())
    case "numpy.core.numeric._frombuffer":
      guard arguments.count > 3 else { throw malformed }
      let array = NumpyArray()
      try array.fill(
        shape: arguments[2], type: arguments[1], isColumnMajor: arguments[3].string == "F", arguments[0])
      return .array(array)
    case "numpy.dtype":
      guard let name = arguments.first?.string else { throw malformed }
      return .numpyType(NumpyType(name))
    // No bytes, as protocol 2 writes them.
    case "__builtin__.bytes", "builtins.bytes": return arguments.isEmpty ? .bytes([]) : nil
    case "_codecs.encode":
      guard arguments.count == 2, arguments[1].string == "latin1" else { return nil }
      switch arguments[0] {
      case .string(let text): return .encodedText(Array(text.utf8)[...])
      case .text(let bytes): return .encodedText(bytes)
      default: throw malformed
      }
    default: return nil
    }
  }

  /// `BUILD`: what an object that was made empty holds. Of objects that aren't known here nothing is taken over.
  static func fill(_ value: PickleValue, with state: PickleValue) throws {
    switch value {
    case .numpyType(let type): type.fill(state.items ?? [])
    case .array(let array):
      guard let state = state.items, state.count == 5 else { throw malformed }
      try array.fill(shape: state[1], type: state[2], isColumnMajor: state[3].bool ?? false, state[4])
    default: break
    }
  }
}
