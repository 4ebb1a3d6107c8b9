import ArgumentParser
import Training

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the resolved configuration and what its data sets hold, or the errors with their places.")

  @Argument(help: "The configuration file.")
  var config: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Changes to the configuration.", valueName: "KEY=VALUE"))
  var cfgOptions: [String] = []

  func run() throws { CheckRun.start(ConfigSource(path: config, changes: cfgOptions)) }
}
