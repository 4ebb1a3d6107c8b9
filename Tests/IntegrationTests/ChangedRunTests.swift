import Foundation
import Testing
import Training

extension ProgramTests {
  /// A run that goes on where something is no longer as it was.
  @Suite("Resuming on something changed") struct Changed {
    private let run: TinyRun
    private let options = ["runner.max_epochs=3", "checkpoint_config.interval=1"]

    init() throws { run = try TinyRun() }

    private func resume(_ checkpoint: String, batch: Int = 4, options other: [String] = []) throws -> Outcome {
      try run.program.run(
        run.command("next", ranks: 1, batch: batch, iterations: 1000, options: options + other)
          + ["--resume", checkpoint, "--single-rank"])
    }

    /// Leaves the first images.
    private func shorten(to count: Int) throws {
      let url = URL(fileURLWithPath: run.folder.path("data/annotations/instances_train.json"))
      var file = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
      let images = Array(try #require(file["images"] as? [[String: Any]]).prefix(count))
      let ids = Set(images.compactMap { $0["id"] as? Int })
      let annotations = try #require(file["annotations"] as? [[String: Any]])
      file["images"] = images
      file["annotations"] = annotations.filter { ids.contains($0["image_id"] as? Int ?? -1) }
      try JSONSerialization.data(withJSONObject: file).write(to: url)
    }

    @Test("A smaller data set is said, with both sizes, and its epochs end where they should")
    func smallerData() throws {
      let log = try run.train(
        "work", ranks: 1, batch: 4, iterations: 1000, options: options + ["runner.max_epochs=2"])
      let before = log.steps.count
      try shorten(to: 7)
      let outcome = try resume("work/epoch_2.h5")
      #expect(outcome.code == 0, "\(outcome)")
      #expect(
        outcome.output.contains("the data set has 7 images, but had 22 where the checkpoint was written"), "\(outcome)")
      let next = try TrainingLog(newestIn: run.folder.path("next"))
      #expect(next.steps.count >= 2 && next.steps.count < before / 2 && next.steps.allSatisfy { $0["epoch"] == 3 })
      #expect(next.steps.compactMap { $0["iter"] } == (1...next.steps.count).map { Double($0) })
      #expect(next.text.contains("Epoch [3][\(next.steps.count)/\(next.steps.count)]"))
      #expect(try run.checkpoint("next/epoch_3.h5").iteration == before + next.steps.count)
    }

    @Test("Another global batch between two epochs: what changes is said, and the newest is found again")
    func otherBatch() throws {
      let log = try run.train(
        "next", ranks: 1, batch: 2, iterations: 1000, options: options + ["runner.max_epochs=2"])
      let outcome = try resume("auto", batch: 4, options: ["auto_scale_lr={enable: true, base_batch_size: 4}"])
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.output.contains("the global batch is 4 images, but was 2: an epoch has "), "\(outcome)")
      let words = "instead of \(log.steps.count); auto_scale_lr makes the learning rate 2.000 times"
      #expect(outcome.output.contains(words), "\(outcome)")
      // It counts fewer iterations than the one before it.
      let again = try resume("auto", batch: 4)
      #expect(again.code == 0 && again.output.contains("Resuming from next/epoch_3.h5"), "\(again)")
    }
  }
}
