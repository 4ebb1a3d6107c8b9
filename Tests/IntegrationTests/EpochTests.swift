import Foundation
import Testing
import Training

extension ProgramTests {
  /// What happens at the ends of epochs.
  @Suite("Epochs") struct Epochs {
    private let run: TinyRun
    private let options = [
      "runner.max_epochs=3", "checkpoint_config.interval=1", "checkpoint_config.max_keep_ckpts=2",
      "evaluation={interval: 1}", "lr_config.step=[1,2]", "lr_config.warmup=null",
    ]

    init() throws { run = try TinyRun() }

    @Test("After each epoch comes an evaluation, the rate falls, the oldest checkpoint goes; a resume is exact")
    func ends() throws {
      let log = try run.train("whole", ranks: 2, batch: 4, iterations: 1000, options: options)
      let length = log.steps.count / 3
      try #require(length > 1 && log.steps.count == 3 * length)
      #expect(log.steps.map { $0["epoch"] } == (0..<3 * length).map { Double($0 / length + 1) })
      #expect(log.steps.map { $0["iter"] } == (0..<3 * length).map { Double($0 % length + 1) })
      for (index, step) in log.steps.enumerated() {
        let (rate, expected) = (try #require(step["lr"]), [0.01, 0.001, 0.0001][index / length])
        #expect(abs(rate - expected) < 1e-6 * expected, "step \(index)")
      }

      #expect(log.validations.map { $0["epoch"] } == [1, 2, 3])
      for line in log.validations {
        #expect(line["iter"] == 6)
        for name in ["bbox_mAP", "bbox_mAP_50", "bbox_mAP_s", "lr"] { #expect(line[name] != nil, "\(name) in \(line)") }
      }
      #expect(log.text.matches(of: #/Epoch\(val\) \[\d\]\[6\]\tbbox_mAP: /#).count == 3)

      #expect(try checkpoints(in: "whole") == ["epoch_2.h5", "epoch_3.h5", "latest.h5"])
      let newest = try FileManager.default.destinationOfSymbolicLink(atPath: run.folder.path("whole/latest.h5"))
      #expect(newest == "epoch_3.h5")
      try resume(log, from: 2 * length)
    }

    private func resume(_ whole: TrainingLog, from step: Int) throws {
      let log = try run.train(
        "resumed", ranks: 2, batch: 4, iterations: 1000, options: options,
        arguments: ["--resume", "whole/epoch_2.h5", "--no-validate"])
      log.expectSameLosses(as: whole.steps[step...], tolerance: 0, "the third epoch")
      #expect(log.steps.map { $0["lr"] } == whole.steps[step...].map { $0["lr"] })
      #expect(log.validations.isEmpty)
      #expect(try run.checkpoint("resumed/epoch_3.h5") == run.checkpoint("whole/epoch_3.h5"))
    }

    @Test("auto_scale_lr follows the global batch, and only the last checkpoint is written unless others are asked for")
    func scaledRate() throws {
      let options = ["auto_scale_lr={enable: true, base_batch_size: 16}", "lr_config.warmup=null"]
      let log = try run.train("scaled", ranks: 2, batch: 4, iterations: 2, options: options)
      #expect(log.steps.count == 2)
      for step in log.steps { #expect(abs(try #require(step["lr"]) - 0.01 * 4 / 16) < 1e-9) }
      #expect(log.validations.isEmpty)
      #expect(try checkpoints(in: "scaled") == ["iter_2.h5", "latest.h5"])
    }

    private func checkpoints(in folder: String) throws -> [String] {
      try run.folder.names(in: folder).filter { $0.hasSuffix(".h5") }
    }
  }
}
