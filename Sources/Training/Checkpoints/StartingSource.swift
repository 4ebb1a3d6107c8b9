import Logging

/// What a run starts from, as the command line and the configuration ask for it. The command line goes first.
enum StartingSource: Equatable {
  /// Go on where this checkpoint stopped (`--resume FILE`, `resume_from`).
  case resume(path: String)
  /// Go on from the newest whole checkpoint of the work directory (`--resume auto`).
  case newestOfWorkDir
  /// All weights of a file (`--load-from`, `load_from`).
  case weights(path: String)
  /// The backbone's weights of a file (`model.pretrained`).
  case backbone(path: String)
  /// Random weights.
  case beginning

  /// Where a run that is resumed goes on; nil where it is not to be resumed.
  static func ofResume(_ options: TrainOptions, _ configuration: RunConfiguration) -> StartingSource? {
    (options.resume ?? configuration.resumeFrom).map { $0 == "auto" ? .newestOfWorkDir : .resume(path: $0) }
  }

  /// What a new run starts from. `model.pretrained` counts where it is a file: nothing is downloaded, and an address starts
  /// from random weights, loudly.
  static func ofNewRun(_ options: TrainOptions, _ configuration: RunConfiguration, _ logger: Logger) -> StartingSource {
    if let path = options.loadFrom ?? configuration.loadFrom { return .weights(path: path) }
    guard let source = configuration.pretrained else { return .beginning }
    guard source.contains("://") else { return .backbone(path: source) }
    logger.warning(
      """
      model.pretrained '\(source)' is an address, and nothing is downloaded: the backbone starts from random weights\
      \(configuration.model.backbone.frozenStages >= 0 ? ", and frozen_stages freezes some of them" : ""); \
      name an .h5 or .pth file there or with --load-from
      """)
    return .beginning
  }
}
