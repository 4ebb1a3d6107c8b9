import ArgumentParser
import Training

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Prints what a checkpoint holds.")

  @Argument(help: "The checkpoint: an .h5, .pth or .safetensors file, or a folder of checkpoints.")
  var checkpoint: String

  func run() throws { SmallRuns.inspect(checkpoint) }
}

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes the weights of a file in another format, which the name of the output says.",
    discussion: "From and to .h5, .pth (mmdetection 2 and 3, torchvision, or a backbone alone) and .safetensors.")

  @Argument(help: "The file to read, or a folder of checkpoints.")
  var input: String

  @Argument(help: "The file to write: .h5, .pth or .safetensors.")
  var output: String

  @Option(help: "Whose names the arrays of a .pth or .safetensors file get.")
  var names = NameStyle.mmdetection

  func run() throws { SmallRuns.convert(input, to: output, names: names) }
}

extension NameStyle: ExpressibleByArgument {}

/// What `HDF5Child` starts.
struct ReadHDF5: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: HDF5Child.command, abstract: "Reads an HDF5 file for a process that doesn't trust it.",
    shouldDisplay: false)

  @Argument var name: String

  func run() throws { HDF5Child.run(name: name) }
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
