import ArgumentParser
import Training

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints what the data sets hold and what is odd about them, or the errors with their places.",
    discussion: "It ends with the code that a training on these data would end with.")

  @Argument(help: "The configuration file.", completion: .configuration)
  var config: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Changes to the configuration.", valueName: "KEY=VALUE"))
  var cfgOptions: [String] = []

  @Option(
    help: ArgumentHelp("Say what has changed since this checkpoint (a file or a folder).", valueName: "FILE"),
    completion: .weights)
  var checkpoint: String?

  @Flag(help: "Print the resolved configuration, too.")
  var printConfig = false

  @Flag(help: "Print JSON: one document, also where something is wrong.")
  var json = false

  func run() throws {
    var options = CheckOptions(config: ConfigSource(path: config, changes: cfgOptions))
    options.checkpoint = checkpoint
    options.printsJSON = json
    options.printsConfiguration = printConfig
    CheckRun.start(options)
  }
}
