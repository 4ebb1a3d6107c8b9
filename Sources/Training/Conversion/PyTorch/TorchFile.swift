/// A file that `torch.save` wrote, as a zip archive (since 1.6) or in the older format: its object, and the storages that
/// its tensors are views of.
struct TorchFile {
  let object: PickleValue
  private let heap: PickleHeap
  private let storage: (TorchStorage) throws -> ArraySlice<UInt8>?
  /// Numbers that all tensors together may have. Twice as many as the file has bytes: tensors may share a storage.
  private let maximumCount: Int

  private typealias Contents = (object: PickleValue, storage: (TorchStorage) throws -> ArraySlice<UInt8>?)

  /// The older format begins with a pickle of the number 0x1950a86a20f9469cfc6c.
  private static let legacyNumber: [UInt8] = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]

  /// Whether the bytes begin like a PyTorch file.
  static func isTorchFile(_ bytes: [UInt8]) -> Bool {
    ZipArchive.isArchive(bytes) || bytes.first == 0x80 && bytes.prefix(32).firstRange(of: legacyNumber) != nil
  }

  /// - Throws: `ZipArchive.Failure`, `PickleReader.Failure` or `ByteReader.EndOfData`.
  init(_ bytes: [UInt8]) throws {
    heap = PickleHeap()
    maximumCount = 2 * bytes.count
    let read = ZipArchive.isArchive(bytes) ? Self.archive : Self.legacy
    (object, storage) = try read(bytes, heap)
  }

  /// `NAME/data.pkl` and `NAME/data/KEY`.
  private static func archive(_ bytes: [UInt8], _ heap: PickleHeap) throws -> Contents {
    let archive = try ZipArchive(bytes)
    guard let path = archive.names.first(where: { $0.hasSuffix("/data.pkl") }),
      let pickle = try archive.contents(path)
    else { throw ZipArchive.Failure("this zip archive was not written by torch.save: it has no 'data.pkl'") }
    let folder = path.dropLast("data.pkl".count)
    if let order = try archive.contents("\(folder)byteorder"), !order.elementsEqual("little".utf8) {
      throw ZipArchive.Failure("it was written on a big-endian machine")
    }
    var reader = try ByteReader(pickle)
    // Many tensors may be views of one storage, whose checksum is looked at once.
    var checked: [String: ArraySlice<UInt8>] = [:]
    return (
      try PickleReader(&reader, heap).value,
      { storage in
        if checked[storage.key] == nil { checked[storage.key] = try archive.contents("\(folder)data/\(storage.key)") }
        return checked[storage.key]
      }
    )
  }

  /// Pickles of the magic number, the version, the machine, the object and the storages' keys; then the storages, each
  /// behind its number of elements.
  private static func legacy(_ bytes: [UInt8], _ heap: PickleHeap) throws -> Contents {
    var reader = try ByteReader(bytes[...])
    for _ in 1...2 { _ = try PickleReader(&reader, heap) }
    let machine = try PickleReader(&reader, heap).value.dictionary
    guard machine?["little_endian"]?.bool != false else {
      throw ZipArchive.Failure("it was written on a big-endian machine")
    }
    let pickle = try PickleReader(&reader, heap)
    if case .object = pickle.value { return (pickle.value, { _ in nil }) }
    if let type = pickle.unknownStorage {
      throw PickleReader.Failure("it holds tensors of a type that isn't known here ('\(type)')")
    }
    let sizes = Dictionary(pickle.storages.map { ($0.key, $0.format.size) }, uniquingKeysWith: { first, _ in first })
    let keys = try PickleReader(&reader, heap).value.items?.compactMap(\.string) ?? []
    var storages: [String: ArraySlice<UInt8>] = [:]
    for key in keys {
      let count = try reader.size(Int64.self)
      let (size, isTooLarge) = count.multipliedReportingOverflow(by: sizes[key] ?? 4)
      guard !isTooLarge else { throw ByteReader.EndOfData() }
      storages[key] = try reader.read(size)
    }
    return (pickle.value, { storages[$0.key] })
  }

  /// The tensors of a dictionary under their names, in row-major order as floats; other entries are passed over.
  func weights(of dictionary: PickleDictionary) throws -> WeightArrays {
    var (weights, count) = (WeightArrays(), 0)
    for entry in dictionary.entries {
      guard let name = entry.key.string, let tensor = entry.value.tensor else {
        weights.passedOver.append(entry.key.string ?? "?")
        continue
      }
      guard tensor.count <= maximumCount - count else {
        throw PickleReader.Failure("its tensors together are larger than the file by far")
      }
      count += tensor.count
      weights.append(
        name, shape: tensor.shape, tensor.storage.format, tensor.bytes(of: try bytes(of: tensor.storage)))
    }
    return weights
  }

  private func bytes(of storage: TorchStorage) throws -> ArraySlice<UInt8> {
    guard let bytes = try self.storage(storage) else { throw PickleReader.malformed }
    let (size, isTooLarge) = storage.count.multipliedReportingOverflow(by: storage.format.size)
    guard !isTooLarge, bytes.count >= size else { throw ByteReader.EndOfData() }
    return bytes.prefix(size)
  }
}
