/// Reads Python's pickle format (protocols 2 to 5; `pickletools.py` documents the codes) as far as PyTorch's weight files
/// use it. Nothing is executed: names stay names, and only the calls that rebuild tensors and dictionaries are known.
struct PickleReader {
  /// Why a pickle can't be read, as the end of a sentence.
  struct Failure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  private(set) var value = PickleValue.none
  /// Every storage that the pickle names.
  private(set) var storages: [TorchStorage] = []
  private var reader: ByteReader
  private var stack: [PickleValue] = []
  /// Where in the stack each open MARK stands.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]

  /// Reads the pickle at the reader's position, which moves behind it.
  /// - Throws: `Failure`, or `ByteReader.EndOfData` where it was cut off.
  init(_ reader: inout ByteReader) throws {
    self.reader = reader
    value = try run()
    reader = self.reader
  }

  private mutating func run() throws -> PickleValue {
    while true {
      let code = try reader.number(UInt8.self)
      if code == UInt8(ascii: ".") { return try pop() }
      if try pushConstant(code) || pushText(code) || changeStack(code) || fillContainer(code) { continue }
      switch code {
      case UInt8(ascii: "R"): try call()
      // The attributes of an object: the versions of a state dict's modules.
      case UInt8(ascii: "b"): _ = try pop()
      case UInt8(ascii: "Q"):
        let storage = try TorchStorage(persistentID: pop())
        storages.append(storage)
        stack.append(.storage(storage))
      default: throw Failure("its pickle holds the code \(code) at byte \(reader.position - 1), which isn't known here")
      }
    }
  }

  // Each of these says whether the code was its own.

  private mutating func pushConstant(_ code: UInt8) throws -> Bool {
    switch code {
    case 0x80: _ = try reader.number(UInt8.self)
    case 0x95: _ = try reader.read(8)
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "J"): stack.append(.int(Int(try reader.number(Int32.self))))
    case UInt8(ascii: "K"): stack.append(.int(Int(try reader.number(UInt8.self))))
    case UInt8(ascii: "M"): stack.append(.int(Int(try reader.number(UInt16.self))))
    case 0x8a: try pushLong()
    case UInt8(ascii: "G"):
      let bits = try reader.number(UInt64.self).byteSwapped
      stack.append(.float(Double(bitPattern: bits)))
    case UInt8(ascii: ")"): stack.append(.tuple([]))
    case UInt8(ascii: "]"): stack.append(.list(PickleList()))
    case UInt8(ascii: "}"): stack.append(.dictionary(PickleDictionary()))
    default: return false
    }
    return true
  }

  /// A whole number in two's complement; one that doesn't fit stays bytes.
  private mutating func pushLong() throws {
    let bytes = try reader.read(try reader.size(UInt8.self))
    guard bytes.count <= 8 else { return stack.append(.bytes(bytes)) }
    let unsigned = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let unused = 64 - 8 * bytes.count
    stack.append(.int(bytes.isEmpty ? 0 : Int((Int64(bitPattern: unsigned) << unused) >> unused)))
  }

  private mutating func pushText(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "X"), UInt8(ascii: "T"): try pushText(count: reader.size(UInt32.self))
    case 0x8c, UInt8(ascii: "U"): try pushText(count: reader.size(UInt8.self))
    case 0x8d: try pushText(count: reader.size(UInt64.self))
    case UInt8(ascii: "B"): stack.append(.bytes(try reader.read(try reader.size(UInt32.self))))
    case UInt8(ascii: "C"): stack.append(.bytes(try reader.read(try reader.size(UInt8.self))))
    case UInt8(ascii: "c"):
      let (module, name) = (try reader.line(), try reader.line())
      stack.append(.global("\(String(decoding: module, as: UTF8.self)).\(String(decoding: name, as: UTF8.self))"))
    case 0x93:
      let (name, module) = (try pop().string, try pop().string)
      stack.append(.global("\(module ?? "?").\(name ?? "?")"))
    default: return false
    }
    return true
  }

  private mutating func pushText(count: Int) throws {
    stack.append(.string(String(decoding: try reader.read(count), as: UTF8.self)))
  }

  private mutating func changeStack(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "t"): stack.append(.tuple(try popToMark()))
    case 0x85, 0x86, 0x87:
      let items = try (0x85...code).map { _ in try pop() }
      stack.append(.tuple(items.reversed()))
    case UInt8(ascii: "q"): try remember(Int(reader.number(UInt8.self)))
    case UInt8(ascii: "r"): try remember(Int(reader.number(UInt32.self)))
    case 0x94: try remember(memo.count)
    case UInt8(ascii: "h"): try recall(Int(try reader.number(UInt8.self)))
    case UInt8(ascii: "j"): try recall(Int(try reader.number(UInt32.self)))
    default: return false
    }
    return true
  }

  private mutating func fillContainer(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "a"):
      let item = try pop()
      try appendToList([item])
    case UInt8(ascii: "e"):
      let items = try popToMark()
      try appendToList(items)
    case UInt8(ascii: "s"):
      let (value, key) = (try pop(), try pop())
      try appendToDictionary([key, value])
    case UInt8(ascii: "u"):
      let items = try popToMark()
      try appendToDictionary(items)
    default: return false
    }
    return true
  }

  private mutating func call() throws {
    let (arguments, function) = (try pop(), try pop())
    guard case .global(let name) = function, let items = arguments.items else { throw Self.malformed }
    switch name {
    case "collections.OrderedDict": stack.append(.dictionary(try PickleDictionary(pairs: items)))
    case "torch._utils._rebuild_tensor_v2": stack.append(.tensor(try TorchTensor(arguments: items)))
    case "torch._utils._rebuild_parameter":
      guard let tensor = items.first?.tensor else { throw Self.malformed }
      stack.append(.tensor(tensor))
    default:
      throw Failure(
        """
        it holds an object that is not a tensor, a number or a text ('\(name)'); save the weights alone: \
        torch.save(model.state_dict(), 'weights.pth')
        """)
    }
  }

  // The value on top is filled; these don't see what their own arguments would pop.

  private func appendToList(_ items: [PickleValue]) throws {
    guard case .list(let list) = try top() else { throw Self.malformed }
    list.items += items
  }

  private func appendToDictionary(_ items: [PickleValue]) throws {
    guard let dictionary = try top().dictionary, items.count % 2 == 0 else { throw Self.malformed }
    for i in stride(from: 0, to: items.count, by: 2) { dictionary.append(items[i], items[i + 1]) }
  }

  private mutating func remember(_ index: Int) throws { memo[index] = try top() }

  private mutating func recall(_ index: Int) throws {
    guard let value = memo[index] else { throw Self.malformed }
    stack.append(value)
  }

  private func top() throws -> PickleValue {
    guard let value = stack.last, stack.count > marks.last ?? 0 else { throw Self.malformed }
    return value
  }

  private mutating func pop() throws -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func popToMark() throws -> [PickleValue] {
    guard let mark = marks.popLast() else { throw Self.malformed }
    let items = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return items
  }

  static var malformed: Failure { Failure("its pickle is damaged") }
}

extension PickleDictionary {
  /// From the arguments of `OrderedDict(…)`: none, or a list of pairs.
  convenience init(pairs arguments: [PickleValue]) throws {
    self.init()
    for pair in arguments.first?.items ?? [] {
      guard let items = pair.items, items.count == 2 else { throw PickleReader.malformed }
      append(items[0], items[1])
    }
  }
}
