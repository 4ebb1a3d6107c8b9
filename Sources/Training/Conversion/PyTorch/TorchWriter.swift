/// Makes the bytes of a file that `torch.load(weights_only=True)` takes: a zip archive with a pickle of protocol 2, and each
/// tensor a storage of its own.
enum TorchWriter {
  /// As mmdetection's checkpoints: the tensors under `state_dict`, what is known of the training under `meta`. With
  /// torchvision's names a bare state dict, which its `load_state_dict` takes.
  /// - Throws: `PickleReader.Failure` or `ZipArchive.Failure` for what can't be written.
  static func image(_ checkpoint: Checkpoint, _ style: NameStyle) throws -> [UInt8] {
    let tensors = try checkpoint.tensors(style)
    let numbers = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    guard numbers < 1_000_000_000 else {
      throw ZipArchive.Failure("it has \(numbers) numbers; a .pth file is written here up to 4 GB")
    }
    var pickle = PickleWriter()
    switch style {
    case .torchvision: pickle.stateDict(tensors)
    case .mmdetection:
      pickle.dictionary {
        $0.text("meta")
        $0.dictionary { meta(checkpoint, &$0) }
        $0.text("state_dict")
        $0.stateDict(tensors)
      }
    }
    var archive = ZipWriter()
    archive.add("archive/data.pkl", pickle.finished)
    archive.add("archive/byteorder", Array("little".utf8))
    for (key, tensor) in tensors.enumerated() { archive.add("archive/data/\(key)", tensor.bytes) }
    archive.add("archive/version", Array("3\n".utf8))
    return archive.image
  }

  private static func meta(_ checkpoint: Checkpoint, _ pickle: inout PickleWriter) {
    pickle.text("producer")
    pickle.text(checkpoint.producer)
    pickle.text("epoch")
    pickle.integer(checkpoint.epoch)
    pickle.text("iter")
    pickle.integer(checkpoint.iteration)
    guard !checkpoint.classes.isEmpty else { return }
    pickle.text("CLASSES")
    pickle.tuple { for name in checkpoint.classes { $0.text(name) } }
    pickle.text("category_ids")
    pickle.tuple { for id in checkpoint.categoryIDs { $0.integer(id) } }
  }
}

/// Writes Python's pickle format as far as files of weights and of proposals need it (`pickletools.py` documents the codes).
struct PickleWriter {
  private var bytes: [UInt8]

  /// - Parameter number: 2, which every Python reads; 3 for arrays.
  init(protocol number: UInt8 = 2) { bytes = [0x80, number] }

  var finished: [UInt8] { bytes + [UInt8(ascii: ".")] }

  mutating func text(_ text: String) {
    bytes.append(UInt8(ascii: "X"))
    bytes.append(number: UInt32(text.utf8.count))
    bytes += text.utf8
  }

  mutating func integer(_ value: Int) {
    if let small = Int32(exactly: value) {
      bytes.append(UInt8(ascii: "J"))
      bytes.append(number: small)
    } else {
      bytes += [0x8a, 8]
      bytes.append(number: Int64(value))
    }
  }

  mutating func list(_ items: (inout PickleWriter) -> Void) {
    bytes.append(UInt8(ascii: "]"))
    enclosed(by: "(", "e", items)
  }

  /// NumPy's array of single-precision numbers, row by row.
  mutating func array(_ values: [Float], columns: Int) {
    global("numpy.core.multiarray", "_reconstruct")
    tuple { writer in
      writer.global("numpy", "ndarray")
      writer.tuple { $0.integer(0) }
      writer.raw([UInt8(ascii: "b")])
    }
    bytes.append(UInt8(ascii: "R"))
    tuple { writer in
      writer.integer(1)
      writer.tuple { shape in
        shape.integer(values.count / columns)
        shape.integer(columns)
      }
      writer.numpyFloat()
      // In the order of rows.
      writer.bytes.append(0x89)
      writer.raw(values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } })
    }
    bytes.append(UInt8(ascii: "b"))
  }

  /// `dtype('<f4')`, as NumPy pickles it.
  private mutating func numpyFloat() {
    global("numpy", "dtype")
    tuple { writer in
      writer.text("f4")
      writer.bytes += [0x89, 0x88]
    }
    bytes.append(UInt8(ascii: "R"))
    tuple { writer in
      writer.integer(3)
      writer.text("<")
      writer.bytes += "NNN".utf8
      for number in [-1, -1, 0] { writer.integer(number) }
    }
    bytes.append(UInt8(ascii: "b"))
  }

  private mutating func raw(_ content: [UInt8]) {
    bytes.append(UInt8(ascii: "B"))
    bytes.append(number: UInt32(content.count))
    bytes += content
  }

  mutating func tuple(_ items: (inout PickleWriter) -> Void) { enclosed(by: "(", "t", items) }

  /// `items` writes keys and values in turn.
  mutating func dictionary(_ items: (inout PickleWriter) -> Void) {
    bytes.append(UInt8(ascii: "}"))
    enclosed(by: "(", "u", items)
  }

  /// An `OrderedDict` of tensors.
  mutating func stateDict(_ tensors: [StoredTensor]) {
    emptyOrderedDict()
    enclosed(by: "(", "u") { writer in
      for (key, tensor) in tensors.enumerated() {
        writer.text(tensor.name)
        writer.tensor(tensor, storage: key)
      }
    }
  }

  private mutating func tensor(_ tensor: StoredTensor, storage key: Int) {
    let strides = tensor.shape.indices.map { axis in tensor.shape[(axis + 1)...].reduce(1) { $0 * max(1, $1) } }
    global("torch._utils", "_rebuild_tensor_v2")
    tuple { writer in
      writer.tuple { storage in
        let type = if case .integer = tensor.values { "LongStorage" } else { "FloatStorage" }
        storage.text("storage")
        storage.global("torch", type)
        storage.text("\(key)")
        storage.text("cpu")
        storage.integer(tensor.shape.reduce(1, *))
      }
      writer.bytes.append(UInt8(ascii: "Q"))
      writer.integer(0)
      writer.tuple { for size in tensor.shape { $0.integer(size) } }
      writer.tuple { for stride in strides { $0.integer(stride) } }
      // requires_grad, and no hooks.
      writer.bytes.append(0x89)
      writer.emptyOrderedDict()
    }
    bytes.append(UInt8(ascii: "R"))
  }

  private mutating func emptyOrderedDict() {
    global("collections", "OrderedDict")
    bytes += ")R".utf8
  }

  private mutating func global(_ module: String, _ name: String) { bytes += "c\(module)\n\(name)\n".utf8 }

  private mutating func enclosed(by first: String, _ last: String, _ items: (inout PickleWriter) -> Void) {
    bytes += first.utf8
    items(&self)
    bytes += last.utf8
  }
}
