import ArgumentParser
import Training

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws the detections of a checkpoint into pictures and writes them as JSON.")

  @Argument(help: "The configuration file.")
  var config: String

  @Argument(help: "The checkpoint, an .h5 or .pth file.")
  var checkpoint: String

  @Argument(help: "Pictures: JPEG, PNG, WebP, TIFF, BMP or GIF.")
  var images: [String]

  @Option(help: ArgumentHelp("The least score that is shown.", valueName: "SCORE"))
  var scoreThr: Float = 0.3

  @Option(help: ArgumentHelp("Where the pictures and predictions.json go.", valueName: "DIR"))
  var outDir = "predictions"

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Changes to the configuration.", valueName: "KEY=VALUE"))
  var cfgOptions: [String] = []

  func run() throws {
    PredictRun.start(
      PredictOptions(
        config: ConfigSource(path: config, changes: cfgOptions), checkpoint: checkpoint, images: images,
        scoreThr: scoreThr, outDir: outDir))
  }
}
