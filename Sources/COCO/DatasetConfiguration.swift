/// The data options, with mmdetection 2.11's names and meaning. Reading them from YAML is the Training target's work.

/// One step of a `pipeline` list. Steps that only format (`DefaultFormatBundle`, `ImageToTensor` …) have no meaning here.
public enum PipelineStep: Equatable, Sendable {
  /// `LoadImageFromFile` with `to_float32: true`: Resize does not round to whole grey levels.
  case loadAsFloats
  /// `Resize`. `scales`: one, or several to choose from (`multiscale_mode: value`), as (width, height).
  case resize(scales: [ImageScale], mode: MultiscaleMode, keepRatio: Bool, clipsBoxes: Bool)
  /// `RandomFlip`: at most one of the directions is drawn.
  case randomFlip([FlipChance])
  /// `Normalize`: pictures are BGR when loaded; `toRGB` swaps first.
  case normalize(mean: [Double], std: [Double], toRGB: Bool)
  /// `Pad` to a multiple, with zeros at the right and the bottom.
  case pad(sizeDivisor: Int)

  /// `RandomFlip` in one direction.
  public static func randomFlip(ratio: Float, direction: FlipDirection) -> PipelineStep {
    .randomFlip([FlipChance(direction: direction, ratio: ratio)])
  }
}

/// A direction of `RandomFlip` and its probability.
public struct FlipChance: Equatable, Sendable {
  public var direction: FlipDirection
  public var ratio: Float

  public init(direction: FlipDirection, ratio: Float) { (self.direction, self.ratio) = (direction, ratio) }
}

public struct ImageScale: Equatable, Sendable {
  public var width: Int
  public var height: Int

  public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }
}

public enum MultiscaleMode: String, Sendable, CaseIterable { case value, range }

public enum FlipDirection: String, Sendable, CaseIterable { case horizontal, vertical, diagonal }

/// `data.train`, `data.val` or `data.test`: a data set, or several of one kind.
public struct DatasetConfiguration: Equatable, Sendable {
  /// At least one.
  public var sources = [AnnotationSource()]
  /// How often the images of which file come in an epoch.
  public var arrangement = DatasetArrangement.source(0)
  /// The classes to train on, by name, in the order of the model's outputs; nil: the categories in the file's order.
  public var classes: [String]?
  /// Drops training images without boxes.
  public var filterEmptyGt = true
  /// Drops training images whose annotations are all crowds (`CityscapesDataset`), where `filterEmptyGt` is set.
  public var leavesOutCrowdImages = false
  /// Drops training images with a side shorter than this.
  public var minSize = 32
  /// Crowd regions come with an image: whether `Collect.keys` holds `gt_bboxes_ignore`.
  public var collectsIgnored = true
  /// Whether `Collect.keys` holds `gt_labels`, without which no classes can be learnt.
  public var collectsLabels = true
  /// What `LoadProposals` loads; nil without it.
  public var proposals: ProposalUse?
  public var pipeline: [PipelineStep] = []
  /// How its pictures are read; the same for all data sets of a run.
  public var pictureRules = PictureRules()

  public init() {}

  /// `ann_file` of the first source.
  public var annFile: String {
    get { sources[0].path }
    set { sources[0].path = newValue }
  }
  /// `img_prefix` of the first source.
  public var imgPrefix: String {
    get { sources[0].imgPrefix }
    set { sources[0].imgPrefix = newValue }
  }
}

/// `proposal_file` with `LoadProposals`.
public struct ProposalUse: Equatable, Sendable {
  public var file: String
  /// At most so many of an image's, the first in the file; nil: all.
  public var numMaxProposals: Int?

  public init(file: String, numMaxProposals: Int? = nil) {
    (self.file, self.numMaxProposals) = (file, numMaxProposals)
  }
}
