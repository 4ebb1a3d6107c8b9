import ArgumentParser
import Training

struct Anchors: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints how well the RPN's anchors fit the boxes of the data, and scales and ratios that fit better.",
    discussion: """
      Boxes are resized as the pipeline does it and compared with the anchors of their image's own grid: each row says \
      for how many of its boxes the best anchor reaches pos_iou_thr, so that it is learnt as an object, and IoU 0.5. A \
      box without such an anchor has at most the one that overlaps it most (match_low_quality). Sizes in pixels are \
      those that the network sees; small, medium and large are COCO's, in the stored picture. No picture is read. The \
      proposed lines may stand in the configuration or in one with that as its _base_; weights that were trained with \
      other anchors have to be trained again.
      """)

  @Argument(help: "The configuration file.")
  var config: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Changes to the configuration.", valueName: "KEY=VALUE"))
  var cfgOptions: [String] = []

  @Option(help: "Whose boxes are looked at: train or val.")
  var data = AnchorsOptions.Part.train

  @Option(help: ArgumentHelp("Propose so many scales, instead of as many as there are.", valueName: "N"))
  var numScales: Int?

  @Option(help: ArgumentHelp("Propose so many ratios, instead of as many as there are.", valueName: "N"))
  var numRatios: Int?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    var options = AnchorsOptions(config: ConfigSource(path: config, changes: cfgOptions))
    options.part = data
    (options.scaleCount, options.ratioCount) = (numScales, numRatios)
    options.printsJSON = json
    AnchorsRun.start(options)
  }
}

extension AnchorsOptions.Part: ExpressibleByArgument {}
