import COCO
import Detection
import Distributed
import Foundation
import Primitives

/// Detects in pictures, one by one, and writes what was found.
struct Prediction {
  private let model: DetectorModel
  private let pipeline: Pipeline
  private let rules: PictureRules
  private let scoreThr: Float
  private let outDir: String
  private let categoryIDs: [Int]
  private let captions: [String]
  private let sink = LogSink()
  private var groundTruth: GroundTruth?
  private var file: PredictionsFile

  /// - Parameters:
  ///   - rules: how the pictures are read.
  ///   - classes: the names in the order of the labels.
  ///   - categoryIDs: one a class; nil where the checkpoint has none.
  /// - Throws: `COCOError` for the ground truth.
  init(
    model: DetectorModel, pipeline: Pipeline, rules: PictureRules, classes: [String], categoryIDs: [Int]?,
    _ options: PredictOptions
  ) throws {
    (self.model, self.pipeline, self.rules) = (model, pipeline, rules)
    (scoreThr, outDir) = (options.scoreThr, options.outDir)
    let ids = categoryIDs ?? Array(1...classes.count)
    self.categoryIDs = ids
    if categoryIDs == nil {
      sink.write("\(options.checkpoint) has no category ids: the classes get 1 to \(classes.count) in their order\n")
    }
    let captions = ClassCaptions(names: classes, ids: ids.map(Int64.init))
    self.captions = captions.texts
    if let notice = captions.notice { sink.write("\(notice); \(PredictionsFile.name) has the names whole\n") }
    groundTruth = try options.groundTruth.map { try GroundTruth(reading: $0, classes: classes, ids: ids) }
    for notice in groundTruth?.notices ?? [] { sink.write("\(notice)\n") }
    file = PredictionsFile(
      checkpoint: options.checkpoint, scoreThr: options.scoreThr, classes: classes, categoryIDs: ids)
  }

  /// Detects, draws and writes. A signal to stop ends the process after the picture that is worked on, when what was
  /// found until then is written.
  /// - Parameters:
  ///   - paths: the pictures.
  ///   - names: the drawn ones, relative to the output folder.
  /// - Throws: `RunError` at the end where pictures could not be read (65); what ends it at once after writing what was
  ///   found until then.
  mutating func run(_ paths: [String], names: [String]) throws {
    Signals.use(.finishing)
    let pictures = ReadAhead("pictures", count: paths.count) { [rules] in
      try ImageDecoder.decode(paths[$0], rules: rules)
    }
    defer { pictures.stop() }
    var progress = ProgressLine(count: paths.count, sink)
    do {
      for (index, path) in paths.enumerated() {
        if Signals.received.isStop { break }
        do {
          try predict(pictures.next(), path: path, name: names[index])
        } catch let error as COCOError {
          file.addFailure(path, error.message)
          sink.writeError("\(error)\n")
        }
        if progress.step() { try file.write(to: outDir) }
      }
    } catch {
      try? file.write(to: outDir)
      throw error
    }
    try file.write(to: outDir)
    try conclude(of: paths.count)
  }

  private mutating func predict(_ picture: DecodedImage, path: String, name: String) throws {
    let detections: [Detection]
    do {
      let found = try model.detector.detect(Batch(picture, pipeline).input(on: model.engine))[0]
      detections = found.filter { $0.score >= scoreThr }
    } catch let error as DivergenceError {
      throw error.calling(path)
    }
    let boxes = detections.map { detection in
      DrawnBox(
        box: detection.box, category: Int64(categoryIDs[detection.label]), name: captions[detection.label],
        detail: fixed(Double(detection.score), 2))
    }
    var drawing = Drawing(pixels: picture.pixels, size: picture.size, order: .bgr)
    drawing.draw(boxes + (groundTruth?.boxes(for: path, size: picture.size, exif: rules.exif) ?? []))
    let output = Folder.join(outDir, name)
    try OutputFolder.make(Folder.above(output), option: "--out-dir")
    try ImageEncoder.write(drawing.pixels, picture.size, .bgr, to: output, jpegQuality: 95, chroma: .full)
    file.add(path, drawn: name, size: picture.size, detections)
    sink.write("\(path): \(detections.count) object\(detections.count == 1 ? "" : "s")\n")
  }

  private func conclude(of count: Int) throws {
    sink.wipeProgress()
    if let groundTruth { sink.write("\(groundTruth.summary)\n") }
    let done = file.count + file.failureCount
    if done < count {
      sink.write(
        "stopped by a signal: the first \(done) of \(count) pictures and \(PredictionsFile.name) are in \(outDir)\n")
      Signals.endByReceived()
    }
    guard file.failureCount == 0 else {
      let rest = file.count == 0 ? "" : "; the other \(file.count) and \(PredictionsFile.name) are in \(outDir)"
      throw RunError(
        "\(file.failureCount) of \(count) pictures could not be read, as said above\(rest)", exitCode: .badData)
    }
    sink.write("pictures and \(PredictionsFile.name) are in \(outDir)\n")
  }
}

/// How far a prediction is: a live line on a terminal, a line a minute elsewhere.
private struct ProgressLine {
  private let count: Int
  private let sink: LogSink
  private let start = ContinuousClock.now
  private var last = ContinuousClock.now
  private var done = 0

  init(count: Int, _ sink: LogSink) { (self.count, self.sink) = (count, sink) }

  /// A further picture is done.
  /// - Returns: whether a minute is over, after which what was found is saved.
  mutating func step() -> Bool {
    done += 1
    let now = ContinuousClock.now
    let isMinute = now - last > .seconds(60)
    if isMinute { last = now }
    guard done < count, isMinute || sink.isTerminal else { return isMinute }
    let left = (now - start) / Double(done) * Double(count - done)
    let text = "\(done) of \(count) pictures, eta \(timeSpan(Double(left.components.seconds)))"
    if sink.isTerminal { sink.showProgress(text) } else { sink.write("\(text)\n") }
    return isMinute
  }
}
