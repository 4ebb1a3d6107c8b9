import ArgumentParser
import Training

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a checkpoint of the weights in a PyTorch file (mmdetection, torchvision, or a backbone alone).")

  @Argument(help: "The PyTorch file, .pth.")
  var input: String

  @Argument(help: "The checkpoint to write, .h5.")
  var output: String

  func run() throws { ConvertRun.start(input, to: output) }
}
