import ArgumentParser
import Training

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes the weights of a file in another format, which the name of the output says.",
    discussion: "From and to .h5, .pth (mmdetection 2 and 3, torchvision, or a backbone alone) and .safetensors.")

  @Argument(help: "The file to read, or a folder of checkpoints.", completion: .weights)
  var input: String

  @Argument(help: "The file to write: .h5, .pth or .safetensors.", completion: .weights)
  var output: String

  @Option(help: "Whose names the arrays of a .pth or .safetensors file get.")
  var names = NameStyle.mmdetection

  func run() throws { ConvertRun.start(input, to: output, names: names) }
}

extension NameStyle: ExpressibleByArgument {}
