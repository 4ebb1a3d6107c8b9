import ArgumentParser
import Training

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a page about a training: curves, numbers, confusions, errors, best and worst pictures.",
    discussion: """
      One HTML file without anything beside it, to be opened, mailed and printed. It detects with the newest good \
      checkpoint of the work directory on data.val, as 'test' does (also under mpirun), or reads what 'test --out' has \
      written. What isn't there yet is said to be missing. Start it where the training was started, since the paths in \
      config.yaml are from there.

        rcnn-train report work_dirs/my
        mpirun -np 4 rcnn-train report work_dirs/my --data test --out test.html
        rcnn-train report work_dirs/my --detections detections.json --checkpoint work_dirs/my/epoch_12.h5
      """)

  @Argument(help: "The work directory of a training.")
  var workDir: String

  @Option(help: ArgumentHelp("The checkpoint (default: the newest good one of the work directory).", valueName: "FILE"))
  var checkpoint: String?

  @Option(
    help: ArgumentHelp("Detections in COCO's results format, in the place of a detector's.", valueName: "FILE"))
  var detections: String?

  @Option(
    help: ArgumentHelp(
      "On which data it is measured (default: val, or test where that is absent).", valueName: "val|test"))
  var data: DataPart?

  @OptionGroup var options: ConfigurationOptions

  @Option(help: ArgumentHelp("The page (default: report.html in the work directory).", valueName: "FILE"))
  var out: String?

  @Option(help: ArgumentHelp("How many of the best and of the worst pictures are shown.", valueName: "N"))
  var pictures = 6

  @Option(
    help: ArgumentHelp("The least score of a detection in the confusion matrix, from 0 to 1.", valueName: "SCORE"))
  var scoreThr = 0.3

  @Flag(help: "Show the curves of the training alone.")
  var noEvaluation = false

  func validate() throws {
    guard data != .train else { throw ValidationError("--data is val or test: what was trained on measures nothing") }
    guard (0...1).contains(scoreThr) else {
      throw ValidationError("--score-thr is \(scoreThr), expected a number from 0 to 1")
    }
    guard (0...100).contains(pictures) else {
      throw ValidationError("--pictures is \(pictures), expected a number from 0 to 100")
    }
    guard !noEvaluation || detections == nil else {
      throw ValidationError("--no-evaluation leaves out what --detections is for; take one of them")
    }
  }

  func run() throws {
    var report = ReportOptions(workDir: workDir)
    report.changes = options.cfgOptions
    report.checkpoint = checkpoint
    report.detections = detections
    report.part = data
    report.out = out
    report.pictures = pictures
    report.scoreThr = scoreThr
    report.evaluates = !noEvaluation
    report.isSingleRank = options.singleRank
    ReportRun.start(report)
  }
}

extension DataPart: ExpressibleByArgument {}
