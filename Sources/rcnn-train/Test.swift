import ArgumentParser
import Training

struct Test: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluates a checkpoint with the COCO metrics, on one rank or many.")

  @Argument(help: "The configuration file.", completion: .configuration)
  var config: String

  @Argument(
    help: "The checkpoint: an .h5, .pth or .safetensors file, or a folder of checkpoints.", completion: .weights)
  var checkpoint: String

  @OptionGroup var options: ConfigurationOptions

  @Option(help: ArgumentHelp("Write the detections in COCO's results format.", valueName: "detections.json"))
  var out: String?

  @Option(
    help: ArgumentHelp(
      "Write the COCO statistics with all their digits, and mmdetection's numbers.", valueName: "metrics.json"))
  var metrics: String?

  @OptionGroup(visibility: .hidden) var launcher: LauncherOption

  @Option(
    help: ArgumentHelp("What to measure: evaluation.metric of the configuration, in its place.", valueName: "METRIC"))
  var eval: String?

  @Flag(help: "Also print each class's AP.")
  var classwise = false

  func run() throws {
    var test = TestOptions(
      config: ConfigSource(
        path: config, changes: options.cfgOptions + (eval.map { ["evaluation.metric=\($0)"] } ?? [])),
      checkpoint: checkpoint)
    test.out = out
    test.metrics = metrics
    test.isClasswise = classwise
    test.isSingleRank = options.singleRank
    TestRun.start(test)
  }
}
