import ArgumentParser
import Foundation
import Primitives
import Training

@main
struct RCNNTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rcnn-train",
    abstract: "Trains Faster R-CNN on COCO-format data on CPU clusters over MPI.",
    discussion: """
      With nothing else, `mpirun -np 2 rcnn-train` trains the quickstart: a small detector on a synthetic data set \
      that is made first. Configurations are mmdetection's, in YAML or Python; see configs/README.md. mpirun refuses \
      more ranks than there are cores unless it is told --oversubscribe (launch/local does that by itself).
      """,
    version: Version.text,
    subcommands: [
      Train.self, Test.self, Predict.self, Inspect.self, Convert.self, Check.self, Weights.self, Doctor.self,
      Shapes.self, Report.self, Browse.self, Anchors.self, ReadHDF5.self,
    ],
    defaultSubcommand: Train.self)

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      // Under a launcher every rank parses the same words: one of them says what is wrong with them.
      if Launcher.isSpokenFor { Launcher.endAfterTheOther(code: exitCode(for: error).rawValue) }
      let answer = exitCode(for: error) == .success ? nil : MMDetectionWords.answer(to: CommandLine.arguments)
      exit(withError: answer.map { ValidationError($0) } ?? error)
    }
  }
}

/// The options that say what is run and with which changes.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Changes to the configuration, for example optimizer.lr=0.01.", valueName: "KEY=VALUE"))
  var cfgOptions: [String] = []

  @Flag(help: "Be a world of one and never touch MPI.")
  var singleRank = false
}
