extension TorchStorage {
  enum Reading {
    case known(TorchStorage)
    /// The type's name.
    case unknown(String)
  }

  /// From `('storage', type, key, device, count)`; PyTorch before 0.4 wrote views, with something behind the count.
  static func read(persistentID: PickleValue) throws -> Reading {
    guard let items = persistentID.items, items.count >= 5, items[0].string == "storage",
      case .global(let name) = items[1], let key = items[2].string, let count = items[4].int, count >= 0
    else { throw PickleReader.malformed }
    guard items.dropFirst(5).allSatisfy(\.isNone) else {
      throw PickleReader.Failure("it was written by a PyTorch older than 0.4; load and save it with a newer one")
    }
    guard let format = NumberFormat(torch: name) else { return .unknown(name) }
    return .known(TorchStorage(key: key, format: format, count: count))
  }
}

extension TorchTensor {
  /// PyTorch's own limit.
  private static let maximumRank = 64

  /// From the arguments of `_rebuild_tensor_v2(storage, offset, shape, strides, …)`. The view must lie within its storage.
  init(arguments: [PickleValue]) throws {
    guard arguments.count >= 4, let storage = arguments[0].storage, let offset = arguments[1].int,
      let shape = arguments[2].integers, let strides = arguments[3].integers, shape.count == strides.count,
      shape.count <= Self.maximumRank, offset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 })
    else { throw PickleReader.malformed }
    self.init(storage: storage, offset: offset, shape: shape, strides: strides)
    guard fits else {
      throw PickleReader.Failure("one of its tensors, of shape \(shape), reaches beyond its storage")
    }
  }

  /// Of elements. It doesn't overflow where the tensor fits.
  var count: Int { shape.contains(0) ? 0 : shape.reduce(1, *) }

  /// Whether its elements can be counted and the last one lies inside its storage.
  private var fits: Bool {
    guard !shape.contains(0) else { return true }
    var (count, last) = (1, offset)
    for (size, stride) in zip(shape, strides) {
      let (product, tooMany) = count.multipliedReportingOverflow(by: size)
      let (distance, tooLong) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, tooFar) = last.addingReportingOverflow(distance)
      if tooMany || tooLong || tooFar { return false }
      (count, last) = (product, sum)
    }
    return last < storage.count
  }

  /// The bytes of its elements in row-major order, given all of the storage's.
  func bytes(of storage: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let (size, start) = (self.storage.format.size, storage.startIndex)
    guard count > 0 else { return [] }
    if isContiguous { return storage[start + offset * size..<start + (offset + count) * size] }
    var places = [offset]
    for (size, stride) in zip(shape, strides) {
      places = places.flatMap { place in (0..<size).map { place + $0 * stride } }
    }
    return places.flatMap { storage[start + $0 * size..<start + ($0 + 1) * size] }[...]
  }

  private var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() {
      if size > 1, stride != expected { return false }
      expected *= size
    }
    return true
  }
}
