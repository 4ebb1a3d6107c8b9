import Foundation
import HDF5

/// What a training run is resumed from: one HDF5 file that h5ls, h5dump and h5py read without this program.
public struct Checkpoint: Equatable, Sendable {
  /// An array under mmdetection's state-dict name, for example `backbone.layer1.0.conv1.weight`, in PyTorch's layout.
  public struct Array: Equatable, Sendable {
    public var name: String
    public var shape: [Int]
    public var values: [Float]

    public init(name: String, shape: [Int], values: [Float]) {
      (self.name, self.shape, self.values) = (name, shape, values)
    }
  }

  /// The day on which the run began, `2026-01-31`: see `today`.
  public var created: String
  /// The program and its version.
  public var producer: String
  /// Epochs and iterations done.
  public var epoch: Int
  public var iteration: Int
  public var worldSize: Int
  public var globalBatch: Int
  public var seed: UInt64
  /// The resolved configuration, as YAML.
  public var configuration: String
  public var classes: [String]
  public var categoryIDs: [Int]
  /// Parameters and statistics.
  public var model: [Array]
  /// SGD's momenta, of trainable parameters only.
  public var momenta: [Array]
  /// What exact resume needs beside the seed: the images consumed in this epoch, …
  public var progress: [String: Int]

  public init(
    created: String, producer: String, epoch: Int, iteration: Int, worldSize: Int, globalBatch: Int, seed: UInt64,
    configuration: String, classes: [String], categoryIDs: [Int], model: [Array], momenta: [Array] = [],
    progress: [String: Int] = [:]
  ) {
    (self.created, self.producer, self.epoch, self.iteration) = (created, producer, epoch, iteration)
    (self.worldSize, self.globalBatch, self.seed) = (worldSize, globalBatch, seed)
    (self.configuration, self.classes, self.categoryIDs) = (configuration, classes, categoryIDs)
    (self.model, self.momenta, self.progress) = (model, momenta, progress)
  }

  public static let format = "rcnn-checkpoint"
  public static let formatVersion = 1

  /// The day in UTC. A run keeps the day on which it began, also through a resume, and a checkpoint holds no other
  /// time (the file itself has one): so h5diff finds two runs alike that did the same, as it compares attributes too.
  public static func today() -> String {
    Date.now.formatted(Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day())
  }
}

extension Checkpoint {
  /// The bytes of its file; the same contents give the same bytes.
  public func image() throws(HDF5Error) -> [UInt8] {
    let writer = try HDF5Writer()
    try writer.set("format", to: Self.format)
    try writer.set("format_version", to: Self.formatVersion)
    try writer.set("created", to: created)
    try writer.set("producer", to: producer)
    try writer.set("epoch", to: epoch)
    try writer.set("iter", to: iteration)
    try writer.set("world_size", to: worldSize)
    try writer.set("global_batch", to: globalBatch)
    try writer.set("seed", to: Int(bitPattern: UInt(seed)))
    try writer.set("config", to: configuration)
    try writer.set("classes", to: classes)
    try writer.set("category_ids", to: categoryIDs)
    for group in ["/model", "/optimizer/momentum", "/progress"] { try writer.createGroup(group) }
    for array in model { try writer.write(array.values, shape: array.shape, to: Self.path(array.name, in: "/model")) }
    for array in momenta {
      try writer.write(array.values, shape: array.shape, to: Self.path(array.name, in: "/optimizer/momentum"))
    }
    for (name, value) in progress.sorted(by: { $0.key < $1.key }) {
      try writer.write([Int64(value)], shape: [1], to: "/progress/\(name)")
    }
    var image = try writer.image()
    Checksum.append(to: &image)
    return image
  }

  private static func path(_ name: String, in group: String) -> String {
    "\(group)/\(name.replacingOccurrences(of: ".", with: "/"))"
  }
}

extension Checkpoint {
  /// Reads a checkpoint from the bytes of its file. `name` stands in errors, which say what is wrong with it: cut off
  /// or damaged, another kind of file, another version.
  public init(image: [UInt8], name: String) throws(CheckpointError) {
    let file = try Self.open(image, name: name)
    do {
      self = try Self(file)
    } catch {
      throw CheckpointError(
        description: "\(name): error: the checkpoint is damaged: \(error); use an older one", exitCode: .badData)
    }
  }

  /// The file, if it is a checkpoint of this version.
  private static func open(_ image: [UInt8], name: String) throws(CheckpointError) -> HDF5File {
    guard image.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]) else {
      throw CheckpointError(
        description: "\(name): error: this is not an HDF5 file, so not a checkpoint of rcnn-train; "
          + "'rcnn-train convert' makes one of a .pth file",
        exitCode: .badData)
    }
    guard Checksum.isRight(image) else {
      throw CheckpointError(
        description: "\(name): error: the checkpoint is damaged: its checksum is wrong, so bytes in it have changed "
          + "since it was written; use an older one",
        exitCode: .badData)
    }
    guard let file = try? HDF5File(image: image, name: name) else {
      throw CheckpointError(
        description: "\(name): error: the checkpoint is damaged: it was cut off or its beginning overwritten "
          + "(\(image.count) bytes are there); use an older one",
        exitCode: .badData)
    }
    guard (try? file.string(attribute: "format", of: "/")) == format else {
      throw CheckpointError(
        description: "\(name): error: this HDF5 file is not a checkpoint of rcnn-train: "
          + "its attribute 'format' is not '\(format)'",
        exitCode: .badData)
    }
    let version = try? file.integer(attribute: "format_version", of: "/")
    guard version == formatVersion else {
      throw CheckpointError(
        description: "\(name): error: the checkpoint has format version \(version.map { "\($0)" } ?? "unknown"), "
          + "this program reads version \(formatVersion); use the rcnn-train that wrote it",
        exitCode: .badData)
    }
    return file
  }

  private init(_ file: HDF5File) throws(HDF5Error) {
    func text(_ name: String) throws(HDF5Error) -> String { try file.string(attribute: name, of: "/") }
    func number(_ name: String) throws(HDF5Error) -> Int { try file.integer(attribute: name, of: "/") }
    self.init(
      created: try text("created"), producer: try text("producer"), epoch: try number("epoch"),
      iteration: try number("iter"), worldSize: try number("world_size"), globalBatch: try number("global_batch"),
      seed: UInt64(UInt(bitPattern: try number("seed"))), configuration: try text("config"),
      classes: try file.strings(attribute: "classes", of: "/"),
      categoryIDs: try file.integers(attribute: "category_ids", of: "/").map { Int($0) },
      model: try Self.arrays(in: "/model", of: file), momenta: try Self.arrays(in: "/optimizer/momentum", of: file))
    for name in try file.members(of: "/progress") {
      progress[name] = try file.integers("/progress/\(name)").first.map { Int($0) }
    }
  }

  /// All data sets below a group, in alphabetical order of their paths' parts.
  private static func arrays(in group: String, of file: HDF5File, prefix: String = "") throws(HDF5Error) -> [Array] {
    var arrays: [Array] = []
    for member in try file.members(of: group) {
      let path = "\(group)/\(member)"
      if try file.isGroup(path) {
        arrays += try Self.arrays(in: path, of: file, prefix: "\(prefix)\(member).")
      } else {
        arrays.append(Array(name: prefix + member, shape: try file.shape(of: path), values: try file.floats(path)))
      }
    }
    return arrays
  }
}
