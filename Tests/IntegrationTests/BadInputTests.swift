import Foundation
import Testing
import Training

/// A mistake or a mishap, and how the program is to end.
struct BadInput: CustomTestStringConvertible, Sendable {
  let name: String
  let code: Int32
  /// What the one message says: the place, and the remedy.
  let message: [String]
  /// Beside the usual ones.
  var options: [String] = []
  var arguments: [String] = []
  var ranks = 2
  var batch = 4
  var shell: String?
  var workDir = "good"
  /// The newest checkpoint in the folder `good` after it, of a run of five steps.
  var newest = "iter_3.h5"
  /// Breaks something in the folder before the run.
  var damage: @Sendable (TinyRun) throws -> Void = { _ in }

  var testDescription: String { name }

  static let configuration: [BadInput] = [
    BadInput(
      name: "a wrong key", code: 78, message: ["error: unknown key 'learning_rat'", "'lr'"],
      options: ["optimizer.learning_rat=0.1"]),
    BadInput(
      name: "a wrong value", code: 78, message: ["error: ", "optimizer.lr", "fast"], options: ["optimizer.lr=fast"]),
    BadInput(name: "no configuration file", code: 66, message: ["tiny.yaml: error: no such file"]) { run in
      try FileManager.default.removeItem(atPath: run.folder.path("tiny.yaml"))
    },
    BadInput(
      name: "a learning rate that explodes", code: 65,
      message: ["error: the loss is not finite at iter 2 (", "; images ", "lower optimizer.lr"],
      options: ["optimizer.lr=1e30", "optimizer_config.grad_clip=null", "lr_config.warmup=null"]),
    BadInput(
      name: "a model for which no machine has memory", code: 74,
      message: ["error: out of memory: ", " MiB are needed for arrays and ", "data.samples_per_gpu", "'ulimit -v'"],
      options: ["model.roi_head.bbox_head.fc_out_channels=65536"], ranks: 1, shell: "ulimit -v 50000000"),
  ]

  private static let inFileOrder = ["mpi.shuffle=false", "data.train.filter_empty_gt=false"]

  static let data: [BadInput] = [
    BadInput(
      name: "no annotation file", code: 66, message: ["data/none.json: error: "],
      options: ["data.train.ann_file=data/none.json"]),
    BadInput(name: "an annotation file cut in half", code: 65, message: ["instances_train.json:", "error: "]) { run in
      try run.cut("data/annotations/instances_train.json")
    },
    BadInput(
      name: "a missing picture", code: 66, message: ["error: of 22 pictures 1 not there:", "data/train/"],
      options: inFileOrder
    ) { run in try FileManager.default.removeItem(atPath: run.folder.path(run.laterPicture())) },
    BadInput(
      name: "a picture that does not decode", code: 65,
      message: ["data/train/", ": error: is text", "read by rank 1 of 2 on ", "iteration 1 is saved"],
      options: inFileOrder, newest: "iter_1.h5"
    ) { run in try run.folder.write("This is not a picture.", to: run.laterPicture()) },
  ]

  static let checkpoints: [BadInput] = [
    BadInput(
      name: "a checkpoint of another model", code: 65,
      message: ["good/latest.h5: error: 'neck.", "has shape", "the model expects", "another configuration?"],
      options: ["model.neck.out_channels=24", "model.rpn_head.in_channels=24", "model.rpn_head.feat_channels=24"]
        + ["model.roi_head.bbox_roi_extractor.out_channels=24", "model.roi_head.bbox_head.in_channels=24"],
      arguments: ["--load-from", "good/latest.h5"]),
    BadInput(
      name: "a cut checkpoint", code: 65, message: ["cut.h5: error: the checkpoint is damaged: ", "use an older one"],
      arguments: ["--resume", "cut.h5"]
    ) { run in
      try FileManager.default.copyItem(atPath: run.folder.path("good/iter_3.h5"), toPath: run.folder.path("cut.h5"))
      try run.cut("cut.h5")
    },
    BadInput(
      name: "weights at an address", code: 66,
      message: [
        "load_from: error: 'https://somewhere/a/b.pth' is not on this machine, and nothing is downloaded",
        "fetch https://somewhere/a/b.pth and put it into ", "mpi.weights_dir",
      ],
      options: ["load_from=https://somewhere/a/b.pth"]),
    BadInput(
      name: "no checkpoint", code: 66, message: ["none.h5: error: the checkpoint cannot be opened"],
      arguments: ["--resume", "none.h5"]),
    BadInput(
      name: "another global batch in the middle of an epoch", code: 78,
      message: ["the middle of an epoch of batches of 4 images", "ranks × samples_per_gpu is 4"],
      arguments: ["--resume", "auto"], batch: 6),
    BadInput(
      name: "a file that may not grow", code: 74,
      message: ["good/iter_4.h5: error: the checkpoint could not be written", "File too large", "another --work-dir"],
      // Open MPI has files of its own, of some megabytes.
      options: ["runner.max_iters=4", "model.roi_head.bbox_head.fc_out_channels=2048"], shell: "ulimit -f 20000"),
    BadInput(
      name: "a work directory below a file", code: 74,
      message: ["tiny.yaml/work: error: can't be written", "choose another --work-dir"], workDir: "tiny.yaml/work"),
  ]
}

extension TinyRun {
  /// Half of a file.
  fileprivate func cut(_ name: String) throws {
    let bytes = try folder.read(name)
    try Data(bytes.prefix(bytes.count / 2)).write(to: URL(fileURLWithPath: folder.path(name)))
  }

  /// A picture of rank 1 of 2 in the second batch of 4, in the file's order.
  fileprivate func laterPicture() throws -> String { "data/train/\(try folder.names(in: "data/train")[6])" }
}

extension FaultTests {
  @Suite("Bad input") struct BadInputs {
    @Test("ends all ranks with one sentence", arguments: BadInput.configuration + BadInput.data + BadInput.checkpoints)
    func endsWithOneSentence(_ input: BadInput) throws {
      let run = try TinyRun()
      try run.train("good", ranks: 2, batch: 4, iterations: 3)
      let before = try run.folder.read("good/iter_3.h5")
      try input.damage(run)
      let command = run.command(
        input.workDir, ranks: input.ranks, batch: input.batch, iterations: 5, options: input.options)
      let outcome = try run.program.run(
        command + input.arguments, ranks: input.ranks, shell: input.shell)
      #expect(outcome.code == input.code, "\(outcome)")
      for part in input.message { #expect(outcome.errors.contains(part), "\(outcome)") }
      let messages = outcome.errors.split(separator: "\n").filter { $0.contains("error: ") }
      #expect(messages.count == 1, "\(outcome)")
      for trace in ["Fatal error", "Program crashed", "Backtrace", "Signal: "] {
        #expect(!(outcome.output + outcome.errors).contains(trace), "\(outcome)")
      }
      #expect(try run.folder.read("good/iter_3.h5") == before)
      #expect(try run.folder.names(in: "good").allSatisfy { !$0.hasSuffix(".partial") })
      let newest = try FileManager.default.destinationOfSymbolicLink(atPath: run.folder.path("good/latest.h5"))
      #expect(newest == input.newest)
    }
  }
}
