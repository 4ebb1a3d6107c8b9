import COCO
import Detection
import Distributed
import Layers
import Tensors

/// Everything that a configuration says about a run. The names are mmdetection 2.11's, in Swift's spelling.
public struct RunConfiguration: Equatable, Sendable {
  public var model = TwoStageConfiguration()
  /// `model.pretrained`: a checkpoint of the backbone.
  public var pretrained: String?
  public var data = DataSection()
  /// nil: nothing is measured while training.
  public var evaluation: EvaluationSection?
  public var optimizer = OptimizerConfiguration()
  public var learningRate = LearningRateConfiguration()
  /// `cumulative_iters`: so many iterations share a step of the optimiser.
  public var cumulativeIters = 1
  /// `EMAHook` in `custom_hooks`; nil: none.
  public var average: AverageConfiguration?
  public var autoScaleLR = AutoScaleLRSection()
  public var runner = RunnerSection()
  /// nil where `checkpoint_config` is absent: no checkpoint but the last is asked for.
  public var checkpoint: CheckpointSection?
  public var log = LogSection()
  /// Start from these weights, at epoch 0.
  public var loadFrom: String?
  /// Go on where this checkpoint stopped.
  public var resumeFrom: String?
  public var workDir = ""
  public var mpi = MPISection()
  public var seed = 0

  public init() {}
}

/// `data`.
public struct DataSection: Equatable, Sendable {
  /// Images a rank and step; nil where it is not written: 1, unless `mpi.global_batch` says it.
  public var samplesPerGPU: Int?
  /// Threads that prepare images, a rank.
  public var workersPerGPU = 0
  public var train = DatasetConfiguration()
  public var val: DatasetConfiguration?
  public var test: DatasetConfiguration?

  public init() {}
}

/// `evaluation`: on `data.val`.
public struct EvaluationSection: Equatable, Sendable {
  /// `metric`, where it names COCO's.
  public var metrics = [EvaluationMetric.bbox]
  /// Whether `metric` names Pascal VOC's; nil: it is absent, and the data set says so.
  public var isVOCs: Bool?
  static let vocMetric = "mAP"
  /// `iou_thr` of Pascal VOC's `mAP`; nil: 0.5.
  public var iouThr: [Double]?
  /// Epochs, or iterations where not `byEpoch`.
  public var interval = 1
  public var byEpoch = true
  /// The first epoch (or iteration) with an evaluation, from which `interval` counts. A run that begins at it or later
  /// measures before its first step, too.
  public var start: Int?
  /// Reports AP for each class too.
  public var classwise = false
  /// `save_best`: the number by which the best checkpoint gets a file of its own; nil: none does.
  public var saveBest: BestMetric?
  /// `proposal_nums`: how many detections of a class in a picture are counted, three numbers; nil: pycocotools' own for
  /// the statistics that are printed, mmdetection's for what it logs.
  public var proposalNums: [Int]?
  /// `iou_thrs`; nil: COCO's ten.
  public var iouThrs: [Double]?
  /// `metric_items`; nil: the average precisions.
  public var metricItems: [String]?

  public init() {}
}

/// What `evaluation.save_best` goes by: one of the numbers that are reported, in mmdetection's names (`bbox_mAP_50`).
public struct BestMetric: RawRepresentable, Equatable, Sendable {
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue }

  public static let all = BestMetric(rawValue: "bbox_mAP")
}

extension RunConfiguration {
  /// What a training keeps of each parameter.
  var parameterStates: [ParameterState] { optimizer.states + (average == nil ? [] : [.average]) }

  /// What is measured, in a training and by `test`.
  var evaluationParameters: EvaluationParameters {
    var parameters = EvaluationParameters()
    if let numbers = evaluation?.proposalNums { (parameters.maxDets, parameters.proposalNums) = (numbers, numbers) }
    if let overlaps = evaluation?.iouThrs { parameters.overlaps = overlaps }
    parameters.metricItems = evaluation?.metricItems
    // Where nothing is said, `test` measures what there is to measure.
    parameters.metrics = evaluation?.metrics ?? [model.roiHead == nil ? .proposalFast : .bbox]
    if let ranges = mpi.evalAreaRanges { parameters.areaRanges = ranges }
    return parameters
  }
}

/// `auto_scale_lr`, mmdetection 3's key: the rate is multiplied by (global batch) / `base_batch_size`.
public struct AutoScaleLRSection: Equatable, Sendable {
  public var enable = false
  public var baseBatchSize = 16

  public init() {}
}

/// `runner`. Whichever limit is reached first ends the run; at least one is set.
public struct RunnerSection: Equatable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    case epochBased = "EpochBasedRunner"
    case iterBased = "IterBasedRunner"
  }
  /// `type`: what `lr_config`, `checkpoint_config`, `evaluation` and `log_config` count unless they say otherwise.
  public var kind = Kind.epochBased
  public var maxEpochs: Int?
  public var maxIters: Int?

  public init() {}

  /// Epochs, not iterations.
  public var countsEpochs: Bool { kind == .epochBased }
}

/// `checkpoint_config`.
public struct CheckpointSection: Equatable, Sendable {
  /// Epochs, or iterations where not `byEpoch`; nil: only at the end.
  public var interval: Int?
  public var byEpoch = true
  /// nil: all are kept.
  public var maxKeepCkpts: Int?

  public init() {}
}

/// `log_config`.
public struct LogSection: Equatable, Sendable {
  /// Iterations between two lines.
  public var interval = 10
  /// Whether lines name the epoch and the iteration in it, else the iteration of the run.
  public var byEpoch = true
  /// `TensorboardLoggerHook` in `hooks`; nil: none.
  public var tensorBoard: TensorBoardSection?

  public init() {}
}

/// `TensorboardLoggerHook` of `log_config.hooks`, with mmcv's names and meaning.
public struct TensorBoardSection: Equatable, Sendable {
  /// nil: `tf_logs` in the work directory.
  public var logDir: String?
  /// Iterations between two points; `log_config.interval` unless it is written.
  public var interval = 10
  /// Whether the iterations of an epoch that are less than `interval` at its end get no point.
  public var ignoreLast = true
  /// Whether `interval` counts anew in each epoch.
  public var byEpoch = true

  public init() {}
}

/// `mpi`: what mmdetection does not have.
public struct MPISection: Equatable, Sendable {
  /// false: the training images in the file's order.
  public var shuffle = true
  /// Images a step over all ranks; nil: ranks × `data.samples_per_gpu`.
  public var globalBatch: Int?
  public var reduction = Reduction.fast
  public var onNonFinite = NonFiniteReaction.stop
  /// The most steps that `onNonFinite: skip` leaves out.
  public var maxNonFinite = 10
  /// Steps between two comparisons of the replicas; nil: at each checkpoint; 0: never.
  public var checkInterval: Int?
  /// nil: `OMP_NUM_THREADS`, else a fair share of the cores.
  public var threadsPerRank: Int?
  /// The size of the pieces that gradients are summed in, in MiB.
  public var bucketSizeMB = 2.0
  public var scaledDecode = ScaledDecode.train
  /// What is looked at of all pictures at the start; nil: their names, and by `check` and `--dry-run` their headers.
  public var checkPictures: PictureCheck?
  /// Size ranges for the evaluation in COCO's stead.
  public var evalAreaRanges: [AreaRange]?
  /// How pictures are read in all commands.
  public var pictureRules = PictureRules()
  /// What a picture that can't be read does in training and evaluation.
  public var onBadPicture = BadPictureReaction.stop
  /// The most bad pictures that `onBadPicture: skip` puts up with.
  public var maxBadPictures = 10
  /// A folder where weights that are named by an address are looked for first.
  public var weightsDir: String?
  /// After how many seconds without any rank getting further the watchdog ends the run; 0: never.
  public var stallTimeout = 600.0
  /// Faults that the run makes on purpose.
  public var inject: [Fault] = []
  public var asyncSave = AsyncSave.auto
  /// After so many checkpoints in a row that could not be written a run ends.
  public var saveFailures = 3
  /// So many pictures of the validation set are drawn for TensorBoard after each evaluation.
  public var tensorBoardPictures = 4

  public init() {}
}

/// `mpi.reduction`: gradients are summed as floats, share by share; or image by image, as whole numbers, so that the
/// parameters have the same bits on any number of ranks.
public enum Reduction: String, Sendable, CaseIterable, ConfigurationChoice { case fast, exact }

/// `mpi.on_non_finite`: what a loss or a gradient that is not finite does to the run.
public enum NonFiniteReaction: String, Sendable, CaseIterable, ConfigurationChoice { case stop, skip }

/// `mpi.scaled_decode`: the pipelines in which a JPEG that Resize makes less than half as large is decoded at 1/2, 1/4 or
/// 1/8. Testing always follows mmdetection to the bit, unless it is `always`.
public enum ScaledDecode: String, Sendable, CaseIterable, ConfigurationChoice {
  case train, always, never
}

/// `mpi.on_bad_picture`: what a picture that can't be read, or has another size than the annotation file says, does to the
/// run.
public enum BadPictureReaction: String, Sendable, CaseIterable, ConfigurationChoice { case stop, skip }

extension PictureCheck: ConfigurationChoice {}
extension EvaluationMetric: ConfigurationChoice {}
extension ExifUse: ConfigurationChoice {}
