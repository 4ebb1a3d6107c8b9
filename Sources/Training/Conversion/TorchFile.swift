/// A file that `torch.save` wrote, as a zip archive (since 1.6) or in the older format: its object, and the storages that
/// its tensors are views of.
struct TorchFile {
  let object: PickleValue
  private let storage: (TorchStorage) throws -> ArraySlice<UInt8>?

  /// What the older format begins with: a pickle of the number 0x1950a86a20f9469cfc6c.
  private static let legacyStart: [UInt8] = [
    0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
  ]

  /// Whether the bytes begin like a PyTorch file.
  static func isTorchFile(_ bytes: [UInt8]) -> Bool {
    ZipArchive.isArchive(bytes) || bytes.starts(with: legacyStart)
  }

  /// - Throws: `ZipArchive.Failure`, `PickleReader.Failure` or `ByteReader.EndOfData`.
  init(_ bytes: [UInt8]) throws {
    if ZipArchive.isArchive(bytes) {
      (object, storage) = try Self.archive(bytes)
    } else {
      (object, storage) = try Self.legacy(bytes)
    }
  }

  /// `NAME/data.pkl` and `NAME/data/KEY`.
  private static func archive(
    _ bytes: [UInt8]
  ) throws -> (PickleValue, (TorchStorage) throws -> ArraySlice<UInt8>?) {
    let archive = try ZipArchive(bytes)
    guard let path = archive.names.first(where: { $0.hasSuffix("/data.pkl") }),
      let pickle = try archive.contents(path)
    else { throw ZipArchive.Failure("this zip archive was not written by torch.save: it has no 'data.pkl'") }
    let folder = path.dropLast("data.pkl".count)
    if let order = try archive.contents("\(folder)byteorder"), !order.elementsEqual("little".utf8) {
      throw ZipArchive.Failure("it was written on a big-endian machine")
    }
    var reader = try ByteReader(pickle)
    return (try PickleReader(&reader).value, { try archive.contents("\(folder)data/\($0.key)") })
  }

  /// Pickles of the magic number, the version, the machine, the object and the storages' keys; then the storages, each
  /// behind its number of elements.
  private static func legacy(
    _ bytes: [UInt8]
  ) throws -> (PickleValue, (TorchStorage) throws -> ArraySlice<UInt8>?) {
    var reader = try ByteReader(bytes[...], at: legacyStart.count)
    _ = try PickleReader(&reader)
    let machine = try PickleReader(&reader).value.dictionary
    guard machine?["little_endian"]?.bool != false else {
      throw ZipArchive.Failure("it was written on a big-endian machine")
    }
    let pickle = try PickleReader(&reader)
    let sizes = Dictionary(pickle.storages.map { ($0.key, $0.type.size) }, uniquingKeysWith: { first, _ in first })
    let keys = try PickleReader(&reader).value.items?.compactMap(\.string) ?? []
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
  func arrays(of dictionary: PickleDictionary) throws -> [Checkpoint.Array] {
    var numbers: [TorchStorage: [Float]] = [:]
    return try dictionary.entries.compactMap { entry in
      guard let name = entry.key.string, let tensor = entry.value.tensor else { return nil }
      let storage = tensor.storage
      if numbers[storage] == nil { numbers[storage] = try values(of: storage) }
      return Checkpoint.Array(
        name: name, shape: tensor.shape, values: tensor.values(of: numbers[storage] ?? []))
    }
  }

  private func values(of storage: TorchStorage) throws -> [Float] {
    guard let bytes = try self.storage(storage) else { throw PickleReader.malformed }
    let (size, isTooLarge) = storage.count.multipliedReportingOverflow(by: storage.type.size)
    guard !isTooLarge, bytes.count >= size else { throw ByteReader.EndOfData() }
    return storage.type.numbers(bytes.prefix(size))
  }
}
