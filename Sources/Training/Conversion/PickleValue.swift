/// What a pickle of PyTorch is made of.
enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(String)
  case bytes(ArraySlice<UInt8>)
  case tuple([PickleValue])
  case list(PickleList)
  case dictionary(PickleDictionary)
  /// The name of a class or a function, for example `torch._utils._rebuild_tensor_v2`.
  case global(String)
  case storage(TorchStorage)
  case tensor(TorchTensor)
}

/// A list, which a pickle may fill after it has referred to it.
final class PickleList {
  var items: [PickleValue] = []
}

/// A `dict` or an `OrderedDict`, in the order of insertion.
final class PickleDictionary {
  private(set) var entries: [(key: PickleValue, value: PickleValue)] = []

  func append(_ key: PickleValue, _ value: PickleValue) { entries.append((key, value)) }

  /// The last value of a key that is a string.
  subscript(key: String) -> PickleValue? { entries.last { $0.key.string == key }?.value }
}

/// Numbers of one type that tensors are views of.
struct TorchStorage: Hashable {
  let key: String
  let type: TorchType
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
  var string: String? { if case .string(let text) = self { text } else { nil } }
  var int: Int? { if case .int(let number) = self { number } else { nil } }
  var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  var dictionary: PickleDictionary? { if case .dictionary(let dictionary) = self { dictionary } else { nil } }
  var tensor: TorchTensor? { if case .tensor(let tensor) = self { tensor } else { nil } }
  var storage: TorchStorage? { if case .storage(let storage) = self { storage } else { nil } }

  /// The items of a tuple or a list.
  var items: [PickleValue]? {
    switch self {
    case .tuple(let items): items
    case .list(let list): list.items
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
