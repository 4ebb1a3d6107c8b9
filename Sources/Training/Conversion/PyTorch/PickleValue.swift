/// What a pickle of PyTorch is made of.
enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(String)
  case bytes(ArraySlice<UInt8>)
  case tuple(PickleList)
  case list(PickleList)
  case dictionary(PickleDictionary)
  /// The name of a class or a function, for example `torch._utils._rebuild_tensor_v2`.
  case global(String)
  /// What Python would make by running the class or function of this name. Nothing is run: what is in it is passed over.
  case object(String)
  case storage(TorchStorage)
  case tensor(TorchTensor)
  /// Text as it stands in the file: a long one, or one of Python 2, which may be any bytes.
  case text(ArraySlice<UInt8>)
  /// Text whose characters stand for bytes, in UTF-8.
  case encodedText(ArraySlice<UInt8>)
  case numpyType(NumpyType)
  case array(NumpyArray)
}

/// A list, which a pickle may fill after it has referred to it.
final class PickleList {
  fileprivate(set) var items: [PickleValue]

  fileprivate init(_ items: [PickleValue]) { self.items = items }

  func append(_ items: [PickleValue]) { self.items += items }
}

/// A `dict` or an `OrderedDict`, in the order of insertion.
final class PickleDictionary {
  fileprivate(set) var entries: [(key: PickleValue, value: PickleValue)] = []

  fileprivate init() {}

  func append(_ key: PickleValue, _ value: PickleValue) { entries.append((key, value)) }

  /// The last value of a key that is a string.
  subscript(key: String) -> PickleValue? { entries.last { $0.key.string == key }?.value }
}

/// Owns all lists and dictionaries of a file's pickles, which may hold each other in circles or a million deep: they are
/// emptied one by one in the end. Counts values, of which a file of weights has thousands.
final class PickleHeap {
  private var lists: [PickleList] = []
  private var dictionaries: [PickleDictionary] = []
  private var count = 0
  private let limit: Int

  init(limit: Int = 4_000_000) { self.limit = limit }

  deinit {
    for list in lists { list.items = [] }
    for dictionary in dictionaries { dictionary.entries = [] }
  }

  /// Counts values that take memory.
  func charge(_ values: Int = 1) throws {
    count += values
    guard count <= limit else {
      throw PickleReader.Failure("its pickle holds more than \(limit) values, which no file of weights does")
    }
  }

  func list(_ items: [PickleValue] = []) throws -> PickleList {
    try charge()
    let list = PickleList(items)
    lists.append(list)
    return list
  }

  func dictionary() throws -> PickleDictionary {
    try charge()
    let dictionary = PickleDictionary()
    dictionaries.append(dictionary)
    return dictionary
  }
}

/// Numbers of one type that tensors are views of.
struct TorchStorage: Hashable {
  let key: String
  let format: NumberFormat
  /// In elements.
  let count: Int
}

/// A strided view of a storage, in elements.
struct TorchTensor {
  let storage: TorchStorage
  let offset: Int
  let shape: [Int]
  let strides: [Int]
}

extension PickleValue {
  var isNone: Bool { if case .none = self { true } else { false } }
  var string: String? {
    switch self {
    case .string(let text): text
    case .text(let bytes): String(decoding: bytes, as: UTF8.self)
    default: nil
    }
  }
  var int: Int? { if case .int(let number) = self { number } else { nil } }
  var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  var dictionary: PickleDictionary? { if case .dictionary(let dictionary) = self { dictionary } else { nil } }
  var tensor: TorchTensor? { if case .tensor(let tensor) = self { tensor } else { nil } }
  var storage: TorchStorage? { if case .storage(let storage) = self { storage } else { nil } }
  /// The class or function of what isn't read.
  var objectName: String? { if case .object(let name) = self { name } else { nil } }

  /// The items of a tuple or a list.
  var items: [PickleValue]? {
    switch self {
    case .tuple(let list), .list(let list): list.items
    default: nil
    }
  }

  /// A tuple or list of whole numbers.
  var integers: [Int]? {
    guard let items else { return nil }
    let numbers = items.compactMap(\.int)
    return numbers.count == items.count ? numbers : nil
  }
}
