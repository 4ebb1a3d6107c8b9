import COCO
import Foundation
import TestSupport
import Testing
import Training

extension ProgramTests {
  /// mmdetection's numbers from the program: both detectors of `detector.h5`, from a `.pth`, pictures, annotations and
  /// mmdetection's configuration, as YAML on one rank and as JSON on two.
  ///
  /// One thing can't come from a file: mmdetection's pictures for testing, which it made about 1.25 times as large. No
  /// picture of fewer pixels becomes the reference's input, whose pixels are independent. So the tests' pictures are
  /// twice as wide and four times as high as the input, `Resize` makes exactly the input of them, and the boxes, which come
  /// back in the large picture's pixels, are compared in those of mmdetection's picture.
  @Suite("mmdetection's numbers") struct MMDetectionNumbers {
    @Test("train and test follow mmdetection", arguments: 0..<2, ReferenceRun.Notation.allCases)
    func follows(_ number: Int, _ notation: ReferenceRun.Notation) throws {
      let goldens = try GoldenCase.all("detector")
      try #require(goldens.count == 2)
      let run = try ReferenceRun(goldens[number])
      let ranks = notation == .yaml ? 1 : 2
      try run.program.succeed(["convert", "start.h5", "w.pth"])
      try run.program.succeed(["convert", "w.pth", "w.h5"])
      let weights = notation == .yaml ? "w.pth" : "w.h5"
      try run.expectDetections("detections_before", of: weights, notation)

      let train = ["train", "c.\(notation)", "--load-from", "w.pth", "--work-dir", "work"]
      try run.program.succeed(train + ["--cfg-options", "data.samples_per_gpu=\(2 / ranks)"], ranks: ranks)
      try run.expectLosses(TrainingLog(newestIn: run.folder.path("work")))
      try run.expectFinalParameters(of: "work/latest.h5")
      try run.program.succeed(["convert", "work/latest.h5", "after.pth"])
      try run.expectDetections("detections_after", of: notation == .yaml ? "after.pth" : "work/latest.h5", notation)
    }
  }
}

extension ReferenceRun {
  /// The first step's losses within 1e-5, the others within 5e-4 of mmdetection's.
  fileprivate func expectLosses(_ log: TrainingLog) throws {
    let steps = try steps
    try #require(log.steps.count == steps, "\(log.text)")
    var names = ["loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "acc", "loss_bbox", "loss"]
    if golden.flag("has_grad_clip") == true { names.append("grad_norm") }
    for name in names {
      let actual = try log.steps.map { Float(try #require($0[name], "\(log.text)")) }
      let expected = try golden.floats("expected/training/\(name)")
      expectClose([actual[0]], [expected[0]], relative: name == "grad_norm" ? 1e-4 : 1e-5, "\(golden) first \(name)")
      expectClose(actual, expected, relative: 5e-4, "\(golden) \(name)")
    }
    #expect(log.steps.allSatisfy { ($0["grad_norm"] != nil) == golden.has("expected/training/grad_norm") })
  }

  /// Within a fifth of the reference's tolerance: weight decay moves them by 7e-5, rounding by 1e-7.
  fileprivate func expectFinalParameters(of path: String) throws {
    let checkpoint = try Checkpoint(image: folder.read(path), name: path)
    #expect(try checkpoint.iteration == steps)
    let names = try golden.members("expected/training/final_params")
    try #require(!names.isEmpty)
    for name in names {
      let parameter = try #require(checkpoint.model.first { $0.name == name }, "no \(name)")
      let dataset = "expected/training/final_params/\(name)"
      #expect(try parameter.shape == golden.shape(dataset), "\(name)")
      expectClose(parameter.values, try golden.floats(dataset), absolute: 2e-5, "\(golden) \(name)")
    }
  }

  /// Each picture alone: the labels and their order, boxes within 0.02 pixels, scores within 1e-4.
  fileprivate func expectDetections(_ group: String, of weights: String, _ notation: Notation) throws {
    let (across, down) = ReferencePicture.enlargement
    for (index, picture) in pictures.enumerated() {
      let scale = "data.test.pipeline.1.img_scale=[\(picture.size.width),\(picture.size.height)]"
      let options = ["--cfg-options", "data.test.ann_file=test\(index + 1).json", scale]
      try program.succeed(["test", "c.\(notation)", weights, "--out", "found.json"] + options)
      let found = try ResultsFile.read(folder.path("found.json"), categoryIDs: [1, 2, 3, 4])
      let place = "\(golden) \(group) \(index)"
      let name = "expected/\(group)/img\(index)_det"
      #expect(try found.map(\.label) == golden.integers("\(name)_labels"), "\(place)")

      let (x, y) = (picture.scaleFactor.x * Float(across), picture.scaleFactor.y * Float(down))
      let corners = found.flatMap { detection -> [Float] in
        let box = detection.box
        let (right, bottom) = (Float(box.x + box.width), Float(box.y + box.height))
        return [Float(box.x) / x, Float(box.y) / y, right / x, bottom / y]
      }
      let rows = try golden.floats("\(name)_bboxes")
      expectClose(corners, rows.indices.filter { $0 % 5 < 4 }.map { rows[$0] }, absolute: 0.02, place)
      let scores = stride(from: 4, to: rows.count, by: 5).map { rows[$0] }
      expectClose(found.map { Float($0.score) }, scores, absolute: 1e-4, "\(place) scores")
    }
  }
}
