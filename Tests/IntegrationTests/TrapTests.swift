import Foundation
import Testing
import Training

/// What once ended in a trap of the processor: a mistake of the user's, and the sentence that it gets now.
struct Mistake: CustomTestStringConvertible, Sendable {
  let name: String
  var code: Int32 = 78
  /// What the one message says.
  let message: [String]
  /// The arguments after `rcnn-train`.
  let arguments: [String]
  var prepare: @Sendable (TinyRun) throws -> Void = { _ in }

  var testDescription: String { name }

  private static func train(_ options: String...) -> [String] {
    ["train", "tiny.yaml", "--work-dir", "work", "--cfg-options", "runner.max_iters=1", "data.samples_per_gpu=2"]
      + options
  }

  private static let withoutClasses = ["data.train.classes=null", "data.val.classes=null", "data.test.classes=null"]

  /// As Roboflow exports: a category 0 above all others, which nothing is labelled with.
  private static let addCategory: @Sendable (TinyRun) throws -> Void = { run in
    for split in ["train", "val"] {
      let name = "data/annotations/instances_\(split).json"
      let text = String(decoding: try run.folder.read(name), as: UTF8.self)
      let category = #"{"id":0,"name":"shapes","supercategory":"none"},"#
      try run.folder.write(text.replacing("\"categories\":[", with: "\"categories\":[\(category)"), to: name)
    }
  }

  private static let classSentence = [
    "instances_", ".json: error: its 6 categories are 'shapes', 'circle', ", "num_classes is 5", "Roboflow",
    "set num_classes to 6",
  ]

  static let configuration: [Mistake] = [
    Mistake(
      name: "more categories in the file than num_classes", message: classSentence,
      arguments: train() + withoutClasses, prepare: addCategory),
    Mistake(
      name: "fewer categories in the file than num_classes",
      message: ["its 5 categories are 'circle', ", "num_classes is 7", "set num_classes to 5"],
      arguments: train("model.roi_head.bbox_head.num_classes=7") + withoutClasses),
    Mistake(
      name: "a class weight for each class and none for the background",
      message: [
        "error: 'model.roi_head.bbox_head.loss_cls.class_weight' has 5 numbers, expected 6 numbers", "background",
      ],
      arguments: train("model.roi_head.bbox_head.loss_cls.class_weight=[1,1,1,1,1]")),
    Mistake(
      name: "no class weights in a list", message: ["class_weight' has 0 numbers, expected 6 numbers"],
      arguments: train("model.roi_head.bbox_head.loss_cls.class_weight=[]")),
    Mistake(
      name: "a negative class weight", message: ["class_weight' is [1.0, ", "expected numbers from 0 on"],
      arguments: train("model.roi_head.bbox_head.loss_cls.class_weight=[1,1,1,1,1,-1]")),
    Mistake(
      name: "two class weights for a sigmoid",
      message: ["'model.rpn_head.loss_cls.class_weight' has 2 numbers, expected 1 number: one of the objects"],
      arguments: train("model.rpn_head.loss_cls.class_weight=[1,1]")),
    Mistake(
      name: "all but the last proposal in training",
      message: ["'model.train_cfg.rpn_proposal.max_per_img' is -1, expected a number from 1 on"],
      arguments: train("model.train_cfg.rpn_proposal.max_per_img=-1")),
    Mistake(
      name: "no proposals in testing", message: ["'model.test_cfg.rpn.max_per_img' is 0, expected a number from 1 on"],
      arguments: train("model.test_cfg.rpn.max_per_img=0")),
    Mistake(
      name: "channels beyond any memory", message: ["'model.rpn_head.feat_channels' is 4294967296, expected at most"],
      arguments: train("model.rpn_head.feat_channels=4294967296")),
    Mistake(
      name: "more levels than a picture can have", message: ["'model.neck.num_outs' is 1000000, expected at most 16"],
      arguments: train("model.neck.num_outs=1000000")),
    Mistake(
      name: "no anchors", message: ["'model.rpn_head.anchor_generator.scales' is [], expected numbers above 0"],
      arguments: train("model.rpn_head.anchor_generator.scales=[]")),
    Mistake(
      name: "anchors of no proportion",
      message: ["'model.rpn_head.anchor_generator.ratios' is [1.0, 0.0], expected numbers above 0"],
      arguments: train("model.rpn_head.anchor_generator.ratios=[1,0]")),
    Mistake(
      name: "samples that take for ever",
      message: ["'model.roi_head.bbox_roi_extractor.roi_layer.sampling_ratio' is 1000000, expected at most"],
      arguments: train("model.roi_head.bbox_roi_extractor.roi_layer.sampling_ratio=1000000")),
    Mistake(
      name: "more negatives for a positive than numbers go",
      message: ["'model.train_cfg.rcnn.sampler.neg_pos_ub' is ", "expected at most a million"],
      arguments: train("model.train_cfg.rcnn.sampler.neg_pos_ub=1e308")),
    Mistake(
      name: "pictures beyond any memory",
      message: ["'data.train.pipeline' has an img_scale of 1000000 × 1000000, expected at most 16384 each"],
      arguments: train("data.train.pipeline.2.img_scale=[1000000,1000000]")),
    Mistake(
      name: "padding beyond any memory",
      message: ["'data.train.pipeline' has a size_divisor of 1000000, expected at most 1024"],
      arguments: train("data.train.pipeline.5.size_divisor=1000000")),
    Mistake(
      name: "a batch beyond any memory", message: ["'data.samples_per_gpu' is 1000000, expected at most 4096"],
      arguments: train("data.samples_per_gpu=1000000")),
    Mistake(
      name: "more threads than there can be", message: ["'data.workers_per_gpu' is 1000000, expected at most 1024"],
      arguments: train("data.workers_per_gpu=1000000")),
    Mistake(
      name: "more epochs than there can be", message: ["'runner.max_epochs' is 9223372036854775807, expected at most"],
      arguments: train("runner.max_epochs=9223372036854775807")),
    Mistake(
      name: "a bucket beyond any memory", message: ["'mpi.bucket_size_mb' is 1e+300, expected at most 1024"],
      arguments: train("mpi.bucket_size_mb=1e300")),
    Mistake(
      name: "a negative seed", message: ["'seed' is -1, expected a number from 0 on"], arguments: train("seed=-1")),
    Mistake(
      name: "a seed in the configuration beyond 63 bits", message: ["'seed' is 9223372036854775808, expected a whole"],
      arguments: train("seed=9223372036854775808")),
  ]

  static let files: [Mistake] = [
    Mistake(
      name: "a folder to load from", code: 66, message: [folderSentence],
      arguments: ["train", "tiny.yaml", "--work-dir", "work", "--load-from", "data"]),
    Mistake(
      name: "a folder to resume", code: 66, message: [folderSentence],
      arguments: ["train", "tiny.yaml", "--work-dir", "work", "--resume", "data"]),
    Mistake(
      name: "a folder to test", code: 66, message: [folderSentence], arguments: ["test", "tiny.yaml", "data"]),
    Mistake(
      name: "a device to resume", code: 66, message: ["/dev/zero: error: this is not a regular file"],
      arguments: ["train", "tiny.yaml", "--work-dir", "work", "--resume", "/dev/zero"]),
  ]

  private static let folderSentence = "data: error: this folder holds no checkpoint (an .h5 file); name a file"

  /// Commands of one process.
  static let ofOneProcess: [Mistake] = [
    Mistake(
      name: "a folder to predict with", code: 66, message: [folderSentence],
      arguments: ["predict", "tiny.yaml", "data", "data/val"]),
    Mistake(
      name: "a folder to inspect", code: 66, message: [folderSentence], arguments: ["inspect", "data"]),
    Mistake(
      name: "a folder to convert", code: 66, message: [folderSentence], arguments: ["convert", "data", "new.h5"]),
    Mistake(
      name: "a configuration to check whose classes are not the file's", message: classSentence,
      arguments: ["check", "tiny.yaml", "--cfg-options"] + withoutClasses, prepare: addCategory),
    Mistake(
      name: "a negative number of pictures", code: 64, message: ["numbers from 0 to 10,000,000"],
      arguments: ["shapes", "new", "--train=-1"]),
    Mistake(
      name: "a seed beyond 64 bits", code: 64, message: ["18446744073709551616"],
      arguments: ["train", "tiny.yaml", "--seed", "18446744073709551616"]),
  ]
}

extension FaultTests {
  @Suite("What once trapped") struct Traps {
    private func expect(_ outcome: Outcome, _ mistake: Mistake) {
      #expect(outcome.code == mistake.code, "\(outcome)")
      for part in mistake.message { #expect(outcome.errors.contains(part), "\(outcome)") }
      let messages = outcome.errors.split(separator: "\n").filter { $0.lowercased().contains("error: ") }
      #expect(messages.count == 1, "\(outcome)")
      for trace in ["Fatal error", "Program crashed", "Backtrace", "Signal: "] {
        #expect(!(outcome.output + outcome.errors).contains(trace), "\(outcome)")
      }
    }

    @Test("ends with one sentence, alone and as two ranks", arguments: Mistake.configuration + Mistake.files)
    func aloneAndAsRanks(_ mistake: Mistake) throws {
      let run = try TinyRun()
      try mistake.prepare(run)
      for ranks in [nil, 2] { expect(try run.program.run(mistake.arguments, ranks: ranks), mistake) }
    }

    @Test("ends with one sentence", arguments: Mistake.ofOneProcess)
    func ofOneProcess(_ mistake: Mistake) throws {
      let run = try TinyRun()
      try mistake.prepare(run)
      expect(try run.program.run(mistake.arguments), mistake)
    }

    @Test("A checkpoint in the middle of an epoch needs the images of its epoch", arguments: [nil, 2])
    func aShorterDataSet(_ ranks: Int?) throws {
      let run = try TinyRun()
      try run.train("work", ranks: 1, batch: 2, iterations: 9)
      let shorter = "data.train.classes=[circle]"
      let outcome = try run.program.run(
        run.command("work", ranks: ranks ?? 1, batch: 2, iterations: 12, options: [shorter]) + ["--resume", "auto"]
          + ["--cfg-options", "model.roi_head.bbox_head.num_classes=1", "data.val.classes=[circle]"]
          + ["data.test.classes=[circle]"],
        ranks: ranks)
      #expect(outcome.code == 78, "\(outcome)")
      #expect(outcome.errors.contains("the checkpoint stands behind image 18 of an epoch"), "\(outcome)")
      #expect(outcome.errors.components(separatedBy: "error: ").count == 2, "\(outcome)")
    }

    @Test("Seeds from 2^63 on are seeds like others", arguments: [nil, 2]) func largeSeeds(_ ranks: Int?) throws {
      let run = try TinyRun()
      let seed = "18446744073709551615"
      let command = run.command("work", ranks: ranks ?? 1, batch: 2, iterations: 1)
      let outcome = try run.program.run(command + ["--seed", seed], ranks: ranks)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(try run.checkpoint("work/latest.h5").seed == .max)
      let log = try #require(run.folder.names(in: "work").first { $0.hasSuffix(".log.json") })
      let text = String(decoding: try run.folder.read("work/\(log)"), as: UTF8.self)
      #expect(text.contains("\"seed\": \(seed), \"exp_name\": \"work\"}"), "\(text)")
      let resumed = run.command("work", ranks: ranks ?? 1, batch: 2, iterations: 2) + ["--resume", "auto"]
      let second = try run.program.run(resumed, ranks: ranks)
      #expect(second.code == 0, "\(second)")
      #expect(try run.checkpoint("work/latest.h5").seed == .max)
    }

    @Test("max_per_img of 0 or less means all detections, as in mmdetection") func allDetections() throws {
      let run = try TinyRun()
      try run.train("good", ranks: 1, batch: 2, iterations: 1)
      func detections(_ limit: Int) throws -> Int {
        let options = ["model.test_cfg.rcnn.score_thr=0.0", "model.test_cfg.rcnn.max_per_img=\(limit)"]
        try run.program.succeed(
          ["test", "tiny.yaml", "good/latest.h5", "--out", "out.json", "--cfg-options"] + options)
        let objects = try JSONSerialization.jsonObject(with: Data(run.folder.read("out.json"))) as? [Any]
        return try #require(objects).count
      }
      #expect(try detections(1) == 6)
      let all = try detections(1_000_000)
      #expect(all > 6)
      #expect(try detections(-1) == all)
      #expect(try detections(0) == all)
    }
  }
}
