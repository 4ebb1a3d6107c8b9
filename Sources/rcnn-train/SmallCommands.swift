import ArgumentParser
import Training

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Prints what a checkpoint holds.")

  @Argument(help: "The checkpoint, an .h5 or .pth file.")
  var checkpoint: String

  func run() throws { SmallRuns.inspect(checkpoint) }
}

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a checkpoint of the weights in a PyTorch file (mmdetection, torchvision, or a backbone alone).")

  @Argument(help: "The PyTorch file, .pth.")
  var input: String

  @Argument(help: "The checkpoint to write, .h5.")
  var output: String

  func run() throws { SmallRuns.convert(input, to: output) }
}

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the resolved configuration and what its data sets hold, or the errors with their places.")

  @Argument(help: "The configuration file.")
  var config: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Changes to the configuration.", valueName: "KEY=VALUE"))
  var cfgOptions: [String] = []

  func run() throws { SmallRuns.check(ConfigSource(path: config, changes: cfgOptions)) }
}

struct Shapes: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes the synthetic data set: pictures of shapes with COCO annotations for train and val.")

  @Argument(help: "The folder to write.")
  var directory: String

  @Option(help: "How many training pictures.")
  var train = 1000

  @Option(help: "How many validation pictures.")
  var val = 100

  @Option(help: "The seed: the same seed gives the same bytes.")
  var seed: UInt64 = 0

  func run() throws { SmallRuns.shapes(directory: directory, train: train, val: val, seed: seed) }
}
