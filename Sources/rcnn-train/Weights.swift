import ArgumentParser
import Training

struct Weights: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Says which files of weights a configuration needs, where they are looked for, and whether they are whole.",
    discussion: """
      Nothing is downloaded. Where compute nodes have no network: \
      rcnn-train weights CONFIG --urls | xargs -n 1 wget -P FOLDER, and mpi.weights_dir=FOLDER.
      """)

  @Argument(help: "The configuration file.", completion: .configuration)
  var config: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Changes to the configuration.", valueName: "KEY=VALUE"))
  var cfgOptions: [String] = []

  @Flag(help: "Print nothing but the addresses of the files to fetch, one a line.")
  var urls = false

  func run() throws {
    WeightsRun.start(ConfigSource(path: config, changes: cfgOptions), printsAddresses: urls)
  }
}
