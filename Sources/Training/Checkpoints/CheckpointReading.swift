import HDF5
import Tensors

extension Checkpoint {
  /// Reads a checkpoint from the bytes of its file. `name` stands in errors, which say what is wrong with it: cut off
  /// or damaged, another kind of file, another version. A file without our checksum is read by a child process.
  public init(image: [UInt8], name: String) throws(CheckpointError) {
    guard case .checkpoint(let checkpoint) = try HDF5Contents(image, name: name) else {
      throw CheckpointError(reading: name, of: image.count, OtherFile())
    }
    self = checkpoint
  }

  /// An HDF5 file of something else.
  struct OtherFile: Error {}

  /// A checkpoint of another version, nil if it doesn't say which.
  struct OtherVersion: Error, CustomStringConvertible {
    let version: Int?

    var description: String {
      """
      the checkpoint has format version \(version.map { "\($0)" } ?? "unknown"), this program reads versions \
      \(formatVersions.lowerBound) and \(formatVersions.upperBound); use the rcnn-train that wrote it
      """
    }
  }

  /// - Throws: `OtherFile`, `OtherVersion` or `HDF5Error`.
  init(_ file: HDF5File) throws {
    guard (try? file.string(attribute: "format", of: "/")) == Self.format else { throw OtherFile() }
    let version = try? file.integer(attribute: "format_version", of: "/")
    guard let version, Self.formatVersions.contains(version) else { throw OtherVersion(version: version) }
    func text(_ name: String) throws -> String { try file.string(attribute: name, of: "/") }
    func number(_ name: String) throws -> Int { try file.integer(attribute: name, of: "/") }
    self.init(
      created: try text("created"), producer: try text("producer"), epoch: try number("epoch"),
      iteration: try number("iter"), worldSize: try number("world_size"), globalBatch: try number("global_batch"),
      seed: UInt64(UInt(bitPattern: try number("seed"))), configuration: try text("config"),
      classes: try file.strings(attribute: "classes", of: "/"),
      categoryIDs: try file.integers(attribute: "category_ids", of: "/").map { Int($0) }, model: [])
    let arrays = try HDF5Arrays(below: "/model", of: file)
    (model, batchCounts) = (arrays.floats, arrays.counts)
    if version > 1 {
      optimizer = try text("optimizer")
      holdsAverages = try number("averages") == 1
    }
    for name in try file.members(of: "/optimizer") {
      guard let state = ParameterState(rawValue: name) else { continue }
      let arrays = try HDF5Arrays(below: "/optimizer/\(name)", of: file).floats
      if !arrays.isEmpty { states[state] = arrays }
    }
    for name in try file.members(of: "/progress") {
      progress[name] = try file.integers("/progress/\(name)").first.map { Int($0) }
    }
  }
}

extension CheckpointError {
  /// What is wrong with an HDF5 file of so many bytes.
  init(reading name: String, of bytes: Int, _ error: any Error) {
    let sentence =
      switch error {
      case is Checkpoint.OtherFile:
        "this HDF5 file is not a checkpoint of rcnn-train: its attribute 'format' is not '\(Checkpoint.format)'"
      case is Checkpoint.OtherVersion: "\(error)"
      case let error as HDF5Error where error.function == "H5Fopen":
        """
        the checkpoint is damaged: it was cut off or its beginning overwritten (\(bytes) bytes are there); use an older \
        one
        """
      default: "the checkpoint is damaged: \(error); use an older one"
      }
    self.init(description: "\(name): error: \(sentence)", exitCode: .badData)
  }
}
