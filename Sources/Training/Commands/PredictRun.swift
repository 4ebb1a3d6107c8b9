import COCO
import Detection
import Distributed
import Foundation
import MPI
import Primitives

/// `rcnn-train predict`.
public enum PredictRun {
  /// Predicts, and ends the process with the exit code of `sysexits.h`.
  public static func start(_ options: PredictOptions) -> Never {
    Boundary.run(singleRank: true) { world in
      let read = try options.config.read()
      let section = try read.run.testSection(of: options.config)
      guard read.run.model.source != .given else {
        throw RunError(
          "\(options.config.path ?? "the configuration") is a FastRCNN, and for these pictures there are no proposals: "
            + "'rcnn-train test' detects with a 'proposal_file'", exitCode: .usage)
      }
      let inputs = try PictureInputs(
        options.inputs, isRecursive: options.isRecursive, leavingOut: options.outDir)
      for notice in read.shippedNotices + inputs.notices { print(notice) }
      let places = OutputPlaces(of: inputs.paths, in: options.outDir)
      try places.requireDistinct(
        from: [options.config.path, options.checkpoint, options.groundTruth].compactMap { $0 })
      let stages = Stages(LogSink(), logger: nil)
      stages.begin("Reading the weights")
      let pipeline = try Pipeline(section.pipeline)
      let budget = try read.run.threadBudget(in: world)
      let model = DetectorModel(read.run.model, seed: 0, threads: budget.threads)
      let weights = try TestWeights(reading: options.checkpoint, world: world)
      let known = names(of: section, weights)
      try weights.load(into: model, classes: known)
      let classes = try classes(of: read.run.model, known, options)
      var prediction = try Prediction(
        model: model, pipeline: pipeline, rules: read.run.mpi.pictureRules, classes: classes,
        categoryIDs: read.run.model.numClasses == nil ? [1] : weights.categoryIDs(of: classes), options)
      try OutputFolder.make(options.outDir, option: "--out-dir")
      stages.end()
      try prediction.run(inputs.paths, names: places.names)
      return 0
    }
  }

  /// The names by label. What an RPN proposes is of no class.
  private static func classes(
    of model: TwoStageConfiguration, _ known: [String], _ options: PredictOptions
  ) throws -> [String] {
    guard let count = model.numClasses else {
      guard options.groundTruth == nil else {
        throw RunError("--ground-truth is of classes, which an RPN doesn't tell apart; leave it out", exitCode: .usage)
      }
      return ["object"]
    }
    return (0..<count).map { $0 < known.count ? known[$0] : "class \($0)" }
  }

  /// In the configuration's order where it names the same classes; else what the weights mean counts.
  private static func names(of section: DatasetConfiguration, _ weights: TestWeights) -> [String] {
    guard let classes = section.classes else { return weights.classes }
    guard ClassMatch(file: weights.classes, run: classes) == .different else { return classes }
    print(
      "the checkpoint's classes are \(weights.classes.joined(separator: ", ")), the configuration's "
        + "\(classes.joined(separator: ", ")): the checkpoint's are shown")
    return weights.classes
  }
}
