import Foundation
import HDF5
import Tensors

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
  /// `SGD`, `Adam` or `AdamW`.
  public var optimizer = "SGD"
  /// What the optimiser keeps, of trainable parameters only.
  public var states: [ParameterState: [Array]]
  /// Whether the model's arrays are running means (`EMAHook`). As in mmcv's files, the weights that are being trained are
  /// then beside them, as `averagedName` says.
  public var holdsAverages = false
  /// What exact resume needs beside the seed: the images consumed in this epoch, …
  public var progress: [String: Int]

  public init(
    created: String, producer: String, epoch: Int, iteration: Int, worldSize: Int, globalBatch: Int, seed: UInt64,
    configuration: String, classes: [String], categoryIDs: [Int], model: [Array],
    states: [ParameterState: [Array]] = [:],
    progress: [String: Int] = [:]
  ) {
    (self.created, self.producer, self.epoch, self.iteration) = (created, producer, epoch, iteration)
    (self.worldSize, self.globalBatch, self.seed) = (worldSize, globalBatch, seed)
    (self.configuration, self.classes, self.categoryIDs) = (configuration, classes, categoryIDs)
    (self.model, self.states, self.progress) = (model, states, progress)
  }

  /// SGD's momenta.
  public var momenta: [Array] {
    get { states[.momentum] ?? [] }
    set { states[.momentum] = newValue }
  }

  public static let format = "rcnn-checkpoint"
  /// Those that this program reads.
  public static let formatVersions = 1...2
  /// 1 where it holds nothing that a program which reads version 1 alone would miss.
  public var formatVersion: Int {
    optimizer == "SGD" && !holdsAverages && progress[Position.windowKey] == nil ? 1 : 2
  }

  /// What mmcv's `EMAHook` calls a parameter that is beside its running mean.
  static func averagedName(_ name: String) -> String { "ema_\(name.replacingOccurrences(of: ".", with: "_"))" }

  /// The day in UTC. A run keeps the day on which it began, also through a resume, and a checkpoint holds no other
  /// time (the file itself has one): so h5diff finds two runs alike that did the same, as it compares attributes too.
  public static func today() -> String {
    Date.now.formatted(Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day())
  }
}

extension Checkpoint {
  /// The bytes of its file; the same contents give the same bytes.
  public func image() throws(HDF5Error) -> [UInt8] {
    try image(model: model, states: states.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key, $0.value) })
  }

  /// The same of other arrays, of which one at a time is in memory.
  func image<States: Sequence<Array>>(
    model: some Sequence<Array>, states: [(state: ParameterState, arrays: States)]
  ) throws(HDF5Error) -> [UInt8] {
    let writer = try HDF5Writer()
    try writer.set("format", to: Self.format)
    try writer.set("format_version", to: formatVersion)
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
    if formatVersion > 1 {
      try writer.set("optimizer", to: optimizer)
      try writer.set("averages", to: holdsAverages ? 1 : 0)
    }
    let optimizerGroup = formatVersion > 1 ? "/optimizer" : "/optimizer/momentum"
    for group in ["/model", optimizerGroup, "/progress"] { try writer.createGroup(group) }
    for array in model { try writer.write(array.values, shape: array.shape, to: Self.path(array.name, in: "/model")) }
    for (name, count) in batchCounts.sorted(by: { $0.key < $1.key }) {
      try writer.write([Int64(count)], shape: [], to: Self.path(name, in: "/model"))
    }
    for (state, arrays) in states {
      for array in arrays {
        let path = Self.path(array.name, in: "/optimizer/\(state.rawValue)")
        try writer.write(array.values, shape: array.shape, to: path)
      }
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
