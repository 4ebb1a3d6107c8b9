import COCO
import Detection
import Foundation
import MPI
import Primitives

/// `rcnn-train predict`.
public enum PredictRun {
  /// Predicts, and ends the process with the exit code of `sysexits.h`.
  public static func start(_ options: PredictOptions) -> Never {
    Boundary.run(singleRank: true) { world in
      try predict(options, world)
      return 0
    }
  }

  private static func predict(_ options: PredictOptions, _ world: World) throws {
    let read = try options.config.read()
    let section = try read.run.testSection(of: options.config)
    let pipeline = try Pipeline(section.pipeline)
    let budget = try read.run.threadBudget(in: world)
    let model = DetectorModel(read.run.model, seed: 0, threads: budget.threads)
    let weights = try TestWeights(reading: options.checkpoint, world: world)
    let known = names(of: section, weights)
    try weights.load(into: model, classes: known)
    let classes = (0..<read.run.model.numClasses).map { label in
      label < known.count ? known[label] : "class \(label)"
    }
    try OutputFolder.make(options.outDir)
    var entries: [JSON] = []
    for path in options.images {
      let picture = try ImageDecoder.decode(path, rules: read.run.mpi.pictureRules)
      let batch = Batch(picture, pipeline)
      let shown = try model.detector.detect(batch.input(on: model.engine))[0].filter { $0.score >= options.scoreThr }
      try draw(shown, on: picture, path: path, classes: classes, outDir: options.outDir)
      entries.append(contentsOf: shown.map { entry($0, path: path, classes: classes) })
      print("\(path): \(shown.count) objects")
    }
    try OutputFolder.write(JSON.array(entries).lines(), to: "\(options.outDir)/predictions.json")
    print("pictures and predictions.json are in \(options.outDir)")
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

  private static func draw(
    _ detections: [Detection], on picture: DecodedImage, path: String, classes: [String], outDir: String
  ) throws {
    var drawing = Drawing(pixels: picture.pixels, size: picture.size, order: .bgr)
    for detection in detections.reversed() {
      drawing.draw(
        DrawnBox(
          box: detection.box, label: detection.label,
          caption: "\(classes[detection.label]) \(fixed(Double(detection.score), 2))"))
    }
    let name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
    try ImageEncoder.write(drawing.pixels, picture.size, .bgr, to: "\(outDir)/\(name).png")
  }

  private static func entry(_ detection: Detection, path: String, classes: [String]) -> JSON {
    let box = detection.box
    return .object([
      ("bbox", .array([box.x1, box.y1, box.width, box.height].map { .number(Double($0)) })),
      ("class", .text(classes[detection.label])), ("file", .text(path)), ("score", .number(Double(detection.score))),
    ])
  }
}
