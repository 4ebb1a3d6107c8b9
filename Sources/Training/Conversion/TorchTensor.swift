/// The types of numbers that PyTorch keeps, by the names of their storages.
enum TorchType: String {
  case float = "torch.FloatStorage"
  case double = "torch.DoubleStorage"
  case half = "torch.HalfStorage"
  case bfloat16 = "torch.BFloat16Storage"
  case int64 = "torch.LongStorage"
  case int32 = "torch.IntStorage"
  case int16 = "torch.ShortStorage"
  case int8 = "torch.CharStorage"
  case uint8 = "torch.ByteStorage"
  case bool = "torch.BoolStorage"

  /// In bytes.
  var size: Int {
    switch self {
    case .double, .int64: 8
    case .float, .int32: 4
    case .half, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// The number whose little-endian bits these are.
  private func number(_ bits: UInt64) -> Float {
    switch self {
    case .float: Float(bitPattern: UInt32(bits))
    case .double: Float(Double(bitPattern: bits))
    case .half: Float(Float16(bitPattern: UInt16(bits)))
    case .bfloat16: Float(bitPattern: UInt32(bits) << 16)
    case .int64: Float(Int64(bitPattern: bits))
    case .int32: Float(Int32(truncatingIfNeeded: bits))
    case .int16: Float(Int16(truncatingIfNeeded: bits))
    case .int8: Float(Int8(truncatingIfNeeded: bits))
    case .uint8: Float(bits)
    case .bool: bits == 0 ? 0 : 1
    }
  }

  /// Every number of a storage.
  func numbers(_ bytes: ArraySlice<UInt8>) -> [Float] {
    stride(from: bytes.startIndex, to: bytes.endIndex, by: size).map { start in
      var bits: UInt64 = 0
      for i in 0..<size { bits |= UInt64(bytes[start + i]) << UInt64(8 * i) }
      return number(bits)
    }
  }
}

extension TorchStorage {
  /// From `('storage', type, key, device, count)`; PyTorch before 0.4 wrote views, with something behind the count.
  init(persistentID: PickleValue) throws {
    guard let items = persistentID.items, items.count >= 5, items[0].string == "storage",
      case .global(let name) = items[1], let key = items[2].string, let count = items[4].int, count >= 0
    else { throw PickleReader.malformed }
    guard items.dropFirst(5).allSatisfy(\.isNone) else {
      throw PickleReader.Failure("it was written by a PyTorch older than 0.4; load and save it with a newer one")
    }
    guard let type = TorchType(rawValue: name) else {
      throw PickleReader.Failure("it holds tensors of a type that isn't known here ('\(name)')")
    }
    self.init(key: key, type: type, count: count)
  }
}

extension TorchTensor {
  /// From the arguments of `_rebuild_tensor_v2(storage, offset, shape, strides, …)`. The view must lie within its storage.
  init(arguments: [PickleValue]) throws {
    guard arguments.count >= 4, let storage = arguments[0].storage, let offset = arguments[1].int,
      let shape = arguments[2].integers, let strides = arguments[3].integers, shape.count == strides.count,
      offset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 })
    else { throw PickleReader.malformed }
    self.init(storage: storage, offset: offset, shape: shape, strides: strides)
    guard fits else {
      throw PickleReader.Failure("one of its tensors, of shape \(shape), reaches beyond its storage")
    }
  }

  /// Whether it has no more elements than its storage and its last one lies inside.
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
    return count <= storage.count && last < storage.count
  }

  /// The values in row-major order, given all of the storage's.
  func values(of storage: [Float]) -> [Float] {
    guard !shape.contains(0) else { return [] }
    if isContiguous { return Array(storage[offset..<offset + shape.reduce(1, *)]) }
    var places = [offset]
    for (size, stride) in zip(shape, strides) {
      places = places.flatMap { place in (0..<size).map { place + $0 * stride } }
    }
    return places.map { storage[$0] }
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
