/// Reads Python's pickle format (protocols 2 to 5; `pickletools.py` documents the codes) as far as PyTorch's weight files
/// and files of proposals use it. Nothing is executed: names stay names, only the calls that rebuild tensors, arrays and
/// dictionaries are known, and what any other call would make becomes `PickleValue.object`.
struct PickleReader {
  /// Why a pickle can't be read, as the end of a sentence.
  struct Failure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  private(set) var value = PickleValue.none
  /// Every storage that the pickle names.
  private(set) var storages: [TorchStorage] = []
  /// The type of a storage that isn't known here.
  private(set) var unknownStorage: String?
  private var reader: ByteReader
  private let heap: PickleHeap
  private var stack: [PickleValue] = []
  /// Where in the stack each open MARK stands.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]

  /// Reads the pickle at the reader's position, which moves behind it. Its value lives as long as the heap.
  /// - Throws: `Failure`, or `ByteReader.EndOfData` where it was cut off.
  init(_ reader: inout ByteReader, _ heap: PickleHeap) throws {
    (self.reader, self.heap) = (reader, heap)
    value = try run()
    reader = self.reader
    (stack, marks, memo) = ([], [], [:])
  }

  private mutating func run() throws -> PickleValue {
    while true {
      let code = try reader.number(UInt8.self)
      if code == UInt8(ascii: ".") { return try pop() }
      if try pushConstant(code) || pushText(code) || pushContainer(code) || changeStack(code) || fillContainer(code)
        || makeObject(code)
      {
        continue
      }
      throw Failure("its pickle holds the code \(code) at byte \(reader.position - 1), which isn't known here")
    }
  }

  private mutating func push(_ value: PickleValue) throws {
    try heap.charge()
    stack.append(value)
  }

  // Each of these says whether the code was its own.

  private mutating func pushConstant(_ code: UInt8) throws -> Bool {
    switch code {
    case 0x80: _ = try reader.number(UInt8.self)
    case 0x95: _ = try reader.read(8)
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.bool(true))
    case 0x89: try push(.bool(false))
    case UInt8(ascii: "J"): try push(.int(Int(try reader.number(Int32.self))))
    case UInt8(ascii: "K"): try push(.int(Int(try reader.number(UInt8.self))))
    case UInt8(ascii: "M"): try push(.int(Int(try reader.number(UInt16.self))))
    case 0x8a: try pushLong(reader.size(UInt8.self))
    case 0x8b: try pushLong(reader.size(Int32.self))
    case UInt8(ascii: "G"):
      let bits = try reader.number(UInt64.self).byteSwapped
      try push(.float(Double(bitPattern: bits)))
    default: return false
    }
    return true
  }

  /// A whole number in two's complement; one that doesn't fit stays bytes.
  private mutating func pushLong(_ count: Int) throws {
    let bytes = try reader.read(count)
    guard bytes.count <= 8 else { return try push(.bytes(bytes)) }
    let unsigned = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let unused = 64 - 8 * bytes.count
    try push(.int(bytes.isEmpty ? 0 : Int((Int64(bitPattern: unsigned) << unused) >> unused)))
  }

  private mutating func pushText(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "X"): try pushText(count: reader.size(UInt32.self))
    case 0x8c: try pushText(count: reader.size(UInt8.self))
    case UInt8(ascii: "T"): try push(.text(try reader.read(try reader.size(UInt32.self))))
    case UInt8(ascii: "U"): try push(.text(try reader.read(try reader.size(UInt8.self))))
    case 0x8d: try pushText(count: reader.size(UInt64.self))
    case UInt8(ascii: "B"): try push(.bytes(try reader.read(try reader.size(UInt32.self))))
    case UInt8(ascii: "C"): try push(.bytes(try reader.read(try reader.size(UInt8.self))))
    case 0x8e, 0x96: try push(.bytes(try reader.read(try reader.size(UInt64.self))))
    case UInt8(ascii: "c"):
      let (module, name) = (try reader.line(), try reader.line())
      try pushName(String(decoding: module, as: UTF8.self), String(decoding: name, as: UTF8.self))
    case 0x93:
      let (name, module) = (try pop().string, try pop().string)
      try pushName(module ?? "?", name ?? "?")
    default: return false
    }
    return true
  }

  private mutating func pushText(count: Int) throws {
    let bytes = try reader.read(count)
    try push(count > 1000 ? .text(bytes) : .string(String(decoding: bytes, as: UTF8.self)))
  }

  /// Short ones only: a name that is put together from long texts again and again would fill the memory.
  private mutating func pushName(_ module: String, _ name: String) throws {
    guard module.utf8.count + name.utf8.count <= 1000 else { throw Self.malformed }
    try push(.global("\(module).\(name)"))
  }

  private mutating func pushContainer(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: ")"): try push(.tuple(heap.list()))
    case UInt8(ascii: "]"), 0x8f: try push(.list(heap.list()))
    case UInt8(ascii: "}"): try push(.dictionary(heap.dictionary()))
    case UInt8(ascii: "t"): try push(.tuple(heap.list(popToMark())))
    case 0x85, 0x86, 0x87:
      let items = try (0x85...code).map { _ in try pop() }
      try push(.tuple(heap.list(items.reversed())))
    case UInt8(ascii: "l"), 0x91: try push(.list(heap.list(popToMark())))
    case UInt8(ascii: "d"):
      let items = try popToMark()
      try push(.dictionary(heap.dictionary()))
      try append(pairs: items)
    default: return false
    }
    return true
  }

  private mutating func changeStack(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "("):
      try heap.charge()
      marks.append(stack.count)
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): try push(top())
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
      try append(items: [item])
    case UInt8(ascii: "e"), 0x90:
      let items = try popToMark()
      try append(items: items)
    case UInt8(ascii: "s"):
      let (value, key) = (try pop(), try pop())
      try append(pairs: [key, value])
    case UInt8(ascii: "u"):
      let items = try popToMark()
      try append(pairs: items)
    default: return false
    }
    return true
  }

  // The value on top is filled; these don't see what their own arguments would pop.

  private func append(items: [PickleValue]) throws {
    switch try top() {
    case .list(let list): list.append(items)
    case .object: return
    default: throw Self.malformed
    }
  }

  private func append(pairs items: [PickleValue]) throws {
    guard items.count % 2 == 0 else { throw Self.malformed }
    switch try top() {
    case .dictionary(let dictionary):
      for i in stride(from: 0, to: items.count, by: 2) { dictionary.append(items[i], items[i + 1]) }
    case .object: return
    default: throw Self.malformed
    }
  }

  private mutating func remember(_ index: Int) throws {
    try heap.charge()
    memo[index] = try top()
  }

  private mutating func recall(_ index: Int) throws {
    guard let value = memo[index] else { throw Self.malformed }
    try push(value)
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

extension PickleReader {
  private mutating func makeObject(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "R"), 0x81:
      let (arguments, function) = (try pop(), try pop())
      try call(function, arguments)
    case 0x92:
      let (_, arguments, function) = (try pop(), try pop(), try pop())
      try call(function, arguments)
    // The attributes of an object: the versions of a state dict's modules, the numbers of an array.
    case UInt8(ascii: "b"):
      let state = try pop()
      try Self.fill(top(), with: state)
    case UInt8(ascii: "Q"): try pushStorage()
    default: return false
    }
    return true
  }

  private mutating func call(_ function: PickleValue, _ arguments: PickleValue) throws {
    let name: String
    switch function {
    case .global(let global): name = global
    case .object(let object): return try push(.object(object))
    default: throw Self.malformed
    }
    guard let items = arguments.items else { throw Self.malformed }
    switch name {
    case "collections.OrderedDict": try push(.dictionary(heap.dictionary(pairs: items)))
    case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor":
      if let type = items.first?.objectName { return try push(.object(type)) }
      try push(.tensor(try TorchTensor(arguments: items)))
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
      guard let value = items.first, value.tensor != nil || value.objectName != nil else { throw Self.malformed }
      try push(value)
    default: try push(Self.numpyValue(name, items) ?? .object(name))
    }
  }

  private mutating func pushStorage() throws {
    let id = try pop()
    // In the older format a module's class comes with its source code.
    if let items = id.items, items.count > 1, items[0].string == "module" { return try push(items[1]) }
    switch try TorchStorage.read(persistentID: id) {
    case .known(let storage):
      storages.append(storage)
      try push(.storage(storage))
    case .unknown(let type):
      unknownStorage = type
      try push(.object(type))
    }
  }
}

extension PickleHeap {
  /// From the arguments of `OrderedDict(…)`: none, or a list of pairs.
  func dictionary(pairs arguments: [PickleValue]) throws -> PickleDictionary {
    let dictionary = try dictionary()
    let pairs = arguments.first?.items ?? []
    try charge(pairs.count)
    for pair in pairs {
      guard let items = pair.items, items.count == 2 else { throw PickleReader.malformed }
      dictionary.append(items[0], items[1])
    }
    return dictionary
  }
}
