import ArgumentParser
import Foundation
import Training

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a detector (the default).",
    discussion: """
      USR1 saves a checkpoint and goes on; USR2 and Ctrl-C save and stop with code 75, as does TERM when the launcher \
      leaves time (mpirun leaves a second, the scripts in launch/ all it takes); run again with --resume auto.
      """)

  @Argument(help: "The configuration file; without one, the quickstart.", completion: .configuration)
  var config: String?

  @OptionGroup var options: ConfigurationOptions

  @Option(
    help: ArgumentHelp("Where logs and checkpoints go (default: work_dirs/<config name>).", valueName: "DIR"),
    completion: .directory)
  var workDir: String?

  @OptionGroup(visibility: .hidden) var launcher: LauncherOption

  @Option(
    name: [.long, .customLong("resume-from")], defaultAsFlag: "auto",
    help: ArgumentHelp("Go on from a checkpoint; auto (or no value): the newest good one.", valueName: "auto|FILE"))
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "Start from the weights of an .h5, .pth or .safetensors file, or of the newest checkpoint in a folder.",
      valueName: "FILE"), completion: .weights)
  var loadFrom: String?

  @Option(help: ArgumentHelp("The seed of the run.", valueName: "N"))
  var seed: UInt64?

  @Flag(help: "Don't evaluate during training.")
  var noValidate = false

  @Flag(help: "Print what the run would be, and end.")
  var dryRun = false

  func validate() throws {
    guard let config, !FileManager.default.fileExists(atPath: config), let text = RCNNTrain.suggestion(for: config)
    else { return }
    throw ValidationError(text)
  }

  func run() throws {
    var run = TrainOptions(config: ConfigSource(path: config, changes: options.cfgOptions))
    run.workDir = workDir
    run.resume = resume
    run.loadFrom = loadFrom
    run.seed = seed
    run.validates = !noValidate
    run.isDryRun = dryRun
    run.isSingleRank = options.singleRank
    TrainRun.start(run)
  }
}
