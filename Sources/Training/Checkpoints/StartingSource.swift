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

  /// The file or folder that it names; "" where it names none.
  var path: String {
    switch self {
    case .resume(let path), .weights(let path), .backbone(let path): path
    case .newestOfWorkDir, .beginning: ""
    }
  }

  /// Where a run that is resumed goes on; nil where it is not to be resumed.
  static func ofResume(_ options: TrainOptions, _ configuration: RunConfiguration) -> StartingSource? {
    (options.resume ?? configuration.resumeFrom).map { $0 == "auto" ? .newestOfWorkDir : .resume(path: $0) }
  }

  /// What a new run starts from. Nothing is downloaded: addresses stand for files that are there already.
  /// - Throws: `CheckpointError` that says which file to fetch.
  static func ofNewRun(_ options: TrainOptions, _ configuration: RunConfiguration) throws -> StartingSource {
    let library = WeightsLibrary(weightsDir: configuration.mpi.weightsDir)
    if let source = options.loadFrom ?? configuration.loadFrom {
      return .weights(path: try library.locate(source, key: "load_from"))
    }
    guard let source = configuration.pretrained else { return .beginning }
    return .backbone(path: try library.locate(source, key: "model.pretrained"))
  }
}
