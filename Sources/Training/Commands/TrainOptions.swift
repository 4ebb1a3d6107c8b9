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

/// A part of `data`.
public enum DataPart: String, CaseIterable, Sendable { case train, val, test }

/// What `rcnn-train report` was asked for.
public struct ReportOptions: Sendable {
  public let workDir: String
  /// `--cfg-options`: `KEY=VALUE` each.
  public var changes: [String] = []
  /// nil: the newest good one of the work directory.
  public var checkpoint: String?
  /// A results file, in the checkpoint's stead.
  public var detections: String?
  /// nil: `data.val`, or `data.test` where that is absent.
  public var part: DataPart?
  /// nil: `report.html` in the work directory.
  public var out: String?
  /// How many of the best and of the worst are shown.
  public var pictures = 6
  /// The least score in the confusion matrix.
  public var scoreThr = 0.3
  /// false: the curves of the training alone.
  public var evaluates = true
  public var isSingleRank = false

  public init(workDir: String) { self.workDir = workDir }
}

/// What `rcnn-train browse` was asked for.
public struct BrowseOptions: Sendable {
  public let config: ConfigSource
  public var part = DataPart.train
  /// How many pictures are shown at most.
  public var number = 24
  /// From 1 on, as logs count.
  public var epoch = 1
  /// nil: `browse.html`, in the work directory where that is there.
  public var out: String?
  /// nil: the configuration's.
  public var seed: UInt64?

  public init(config: ConfigSource) { self.config = config }
}
