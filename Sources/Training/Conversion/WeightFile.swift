import Foundation

/// The kinds of files that weights are read from and written to.
enum WeightFormat: String, CaseIterable {
  case hdf5 = "h5"
  case pyTorch = "pth"
  case safetensors

  /// What a file's first bytes tell; nil for anything else.
  init?(_ bytes: [UInt8]) {
    if bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) {
      self = .hdf5
    } else if TorchFile.isTorchFile(bytes) {
      self = .pyTorch
    } else if SafetensorsFile.isSafetensors(bytes) {
      self = .safetensors
    } else {
      return nil
    }
  }

  /// What a file's name says.
  init?(path: String) {
    let suffix = (path as NSString).pathExtension.lowercased()
    self.init(rawValue: ["pt": "pth", "hdf5": "h5"][suffix] ?? suffix)
  }
}

extension Checkpoint {
  /// Reads weights from a checkpoint of this program, an HDF5 file made by hand, a PyTorch file or a safetensors file,
  /// which of them its first bytes tell. A folder means the newest good checkpoint in it.
  ///
  /// - Returns: the weights in mmdetection's names, and what the user should know, each a sentence.
  public static func weights(reading path: String) throws(CheckpointError) -> (
    checkpoint: Checkpoint, notices: [String]
  ) {
    if CheckpointFolder.isFolder(path) {
      let newest = try CheckpointFolder.newest(in: path)
      return (newest.checkpoint, newest.passedOver + ["the newest good checkpoint in it is \(newest.path)"])
    }
    return try weights(in: CheckpointFile.read(path), name: path)
  }

  /// The same of the bytes of a file; `name` stands in errors.
  public static func weights(in bytes: [UInt8], name: String) throws(CheckpointError) -> (
    checkpoint: Checkpoint, notices: [String]
  ) {
    switch WeightFormat(bytes) ?? (name.hasSuffix(".safetensors") ? .safetensors : nil) {
    case .pyTorch:
      let file = try TorchCheckpoint(bytes, name: name)
      return (file.checkpoint, file.notices)
    case .safetensors:
      do {
        return try safetensors(SafetensorsFile(bytes))
      } catch {
        throw .unreadable(name, error)
      }
    case .hdf5:
      switch try HDF5Contents(bytes, name: name) {
      case .checkpoint(let checkpoint): return (checkpoint, [])
      case .arrays(let arrays):
        do {
          let names = try ModelNames(arrays)
          return (Checkpoint(names, classes: arrays.classes), names.notices)
        } catch {
          throw .unreadable(name, error)
        }
      }
    case nil: throw .unknownKind(bytes, name: name)
    }
  }

  private static func safetensors(_ file: SafetensorsFile) throws -> (Checkpoint, [String]) {
    let names = try ModelNames(file.weights)
    guard !names.arrays.isEmpty else { throw SafetensorsFile.Failure("it holds no tensors") }
    func list<Element: Decodable>(_ key: String, of type: Element.Type) -> [Element] {
      (try? JSONDecoder().decode([Element].self, from: Data((file.metadata[key] ?? "").utf8))) ?? []
    }
    let checkpoint = Checkpoint(
      names, epoch: Int(file.metadata["epoch"] ?? "") ?? 0, iteration: Int(file.metadata["iter"] ?? "") ?? 0,
      classes: list("classes", of: String.self), categoryIDs: list("category_ids", of: Int.self))
    return (checkpoint, names.notices)
  }
}

extension Checkpoint {
  /// The bytes of a file of the format that the end of its name says: `.h5`, which keeps everything, `.pth` or
  /// `.safetensors`, which keep the model alone.
  ///
  /// - Parameters:
  ///   - name: the file's, whose end says the format.
  ///   - style: whose names the arrays get; `.h5` has mmdetection's.
  /// - Throws: `RunError` (64) for another name, `CheckpointError` (65) for parts that torchvision has not.
  public func image(named name: String, _ style: NameStyle = .mmdetection) throws -> [UInt8] {
    guard let format = WeightFormat(path: name) else {
      throw RunError(
        "\(name): error: this name says no format to write; end it with .h5, .pth or .safetensors", exitCode: .usage)
    }
    guard style == .mmdetection || format != .hdf5 else {
      throw RunError(
        "\(name): error: a checkpoint has mmdetection's names; --names is for .pth and .safetensors", exitCode: .usage)
    }
    do {
      switch format {
      case .hdf5: return try image()
      case .pyTorch: return try TorchWriter.image(self, style)
      case .safetensors: return try SafetensorsWriter.image(tensors(style), metadata: metadata)
      }
    } catch {
      throw CheckpointError.unreadable(name, error)
    }
  }

  /// What a safetensors file says of the training.
  private var metadata: [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    func json<Value: Encodable>(_ value: Value) -> String {
      (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
    var metadata = ["format": "pt", "producer": producer, "epoch": "\(epoch)", "iter": "\(iteration)"]
    if !classes.isEmpty {
      (metadata["classes"], metadata["category_ids"]) = (json(classes), json(categoryIDs))
    }
    return metadata
  }
}

extension CheckpointError {
  /// For a file that is none of those that are read here: what it seems to be.
  fileprivate static func unknownKind(_ bytes: [UInt8], name: String) -> CheckpointError {
    let start = String(decoding: bytes.prefix(200), as: UTF8.self).lowercased()
    let guess =
      if start.hasPrefix("version https://git-lfs") {
        "this is a pointer of Git LFS, not the file itself; fetch it with 'git lfs pull'"
      } else if start.contains("<html") || start.contains("<!doctype") {
        "this is a web page, not a file of weights; the download went wrong"
      } else if bytes.first == 0x80 {
        "this is a Python pickle that torch.save didn't write; load it in Python and save its arrays with torch.save"
      } else if bytes.isEmpty {
        "the file is empty"
      } else {
        "this is not an HDF5 file, so not a checkpoint of rcnn-train, nor a file of PyTorch or safetensors"
      }
    return CheckpointError(description: "\(name): error: \(guess)", exitCode: .badData)
  }
}

/// `rcnn-train convert`.
enum WeightConversion {
  /// Writes the weights of one file as another, whose name tells its format.
  /// - Returns: what to tell the user, line by line.
  static func convert(_ input: String, to output: String, names style: NameStyle) throws -> [String] {
    let (checkpoint, notices) = try Checkpoint.weights(reading: input)
    let image = try checkpoint.image(named: output, style)
    try CheckpointFile.write(image, to: output)
    return (notices + checkpoint.soundnessNotices).map { "\(input): \($0)" }
      + (WeightFormat(path: output) == .hdf5 ? [] : checkpoint.notices(writing: style).map { "\(output): \($0)" })
      + ["\(output): \(checkpoint.model.count) arrays of \(input)"]
  }
}
