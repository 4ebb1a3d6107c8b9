import ArgumentParser
import Training

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Prints what a checkpoint holds.")

  @Argument(
    help: "The checkpoint: an .h5, .pth or .safetensors file, or a folder of checkpoints.", completion: .weights)
  var checkpoint: String

  func run() throws { InspectRun.start(checkpoint) }
}
