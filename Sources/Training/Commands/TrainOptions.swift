/// A configuration file, or the quickstart's, and the changes from the command line.
public struct ConfigSource: Sendable {
  public let path: String?
  /// `--cfg-options`: `KEY=VALUE` each.
  public let changes: [String]

  public init(path: String?, changes: [String]) { (self.path, self.changes) = (path, changes) }
}

/// What `rcnn-train train` was asked for.
public struct TrainOptions: Sendable {
  public let config: ConfigSource
  public var workDir: String?
  /// `auto`, or a checkpoint's path.
  public var resume: String?
  public var loadFrom: String?
  public var seed: UInt64?
  public var validates = true
  public var isDryRun = false
  public var isSingleRank = false

  public init(config: ConfigSource) { self.config = config }
}

/// What `rcnn-train check` was asked for.
public struct CheckOptions: Sendable {
  public let config: ConfigSource
  /// What is compared with how it is now: a file or a folder.
  public var checkpoint: String?
  public var printsJSON = false
  public var printsConfiguration = false

  public init(config: ConfigSource) { self.config = config }
}

/// What `rcnn-train test` was asked for.
public struct TestOptions: Sendable {
  public let config: ConfigSource
  public let checkpoint: String
  public var out: String?
  public var metrics: String?
  public var isClasswise = false
  public var isSingleRank = false

  public init(config: ConfigSource, checkpoint: String) { (self.config, self.checkpoint) = (config, checkpoint) }
}

/// What `rcnn-train predict` was asked for.
public struct PredictOptions: Sendable {
  public let config: ConfigSource
  public let checkpoint: String
  /// Files, folders and patterns.
  public let inputs: [String]
  public var isRecursive = false
  public var scoreThr: Float = 0.3
  public var groundTruth: String?
  public var outDir = "predictions"

  public init(config: ConfigSource, checkpoint: String, inputs: [String]) {
    (self.config, self.checkpoint, self.inputs) = (config, checkpoint, inputs)
  }
}
