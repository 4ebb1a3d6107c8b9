import Foundation
import HDF5

/// What a training run is resumed from: one HDF5 file that h5ls, h5dump and h5py read without this program.
public struct Checkpoint: Codable, Equatable, Sendable {
  /// An array under mmdetection's state-dict name, for example `backbone.layer1.0.conv1.weight`, in PyTorch's layout.
  public struct Array: Codable, Equatable, Sendable {
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
  /// `num_batches_tracked` of the batch norms of another program's file, which nothing here counts: kept for writing one.
  public var batchCounts: [String: Int] = [:]
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
  public func image() throws(HDF5Error) -> [UInt8] { try image(model: model, momenta: momenta) }

  /// The same of other arrays, of which one at a time is in memory.
  func image(model: some Sequence<Array>, momenta: some Sequence<Array>) throws(HDF5Error) -> [UInt8] {
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
    for (name, count) in batchCounts.sorted(by: { $0.key < $1.key }) {
      try writer.write([Int64(count)], shape: [], to: Self.path(name, in: "/model"))
    }
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
