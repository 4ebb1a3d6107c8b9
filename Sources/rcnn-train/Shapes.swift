import ArgumentParser
import Training

struct Shapes: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes the synthetic data set: pictures of shapes with COCO annotations for train and val.")

  @Argument(help: "The folder to write.", completion: .directory)
  var directory: String

  @Option(help: "How many training pictures.")
  var train = 1000

  @Option(help: "How many validation pictures.")
  var val = 100

  @Option(help: "The seed: the same seed gives the same bytes.")
  var seed: UInt64 = 0

  func validate() throws {
    guard (0...10_000_000).contains(train), (0...10_000_000).contains(val) else {
      throw ValidationError("--train and --val are numbers from 0 to 10,000,000")
    }
  }

  func run() throws { ShapesRun.start(directory: directory, train: train, val: val, seed: seed) }
}
