import COCO
import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// `TensorboardLoggerHook`. An epoch of the tiny run has 6 iterations of 4 pictures.
  @Suite("TensorBoard") struct TensorBoardTests {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    /// - Parameter hook: what the hook has beside its type.
    private func options(interval: Int, hook: String = "") -> [String] {
      [
        "log_config={interval: \(interval), hooks: [{type: TextLoggerHook}, {type: TensorboardLoggerHook\(hook)}]}",
        "evaluation={interval: 1}",
      ]
    }

    @Test("Curves and pictures of two ranks are those of the log, and a resume takes back what it does again")
    func resume() throws {
      let saving = ["checkpoint_config={interval: 5, by_epoch: false}", "data.train.filter_empty_gt=false"]
      let all = options(interval: 1) + saving + ["mpi.tensorboard_pictures=3"]
      let first = try run.train("work", ranks: 2, batch: 4, iterations: 8, options: all)
      let folder = run.folder.path("work/tf_logs")
      let before = try EventFolder(folder)
      #expect(before.starts == [0])
      let losses = before.points("train/loss")
      #expect(losses.map(\.step) == Array(1...8))
      // The log has a few digits of each number.
      #expect(zip(losses, first.steps).allSatisfy { abs(Double($0.value) - ($1["loss"] ?? .nan)) < 1e-5 })
      let names = first.steps[0].keys.filter { $0.hasPrefix("loss") || ["acc", "grad_norm"].contains($0) }
      let own = ["train/time", "train/data_time", "mpi/sync", "mpi/sync_hidden", "mpi/imbalance"]
      #expect(names.count == 7)
      #expect(before.points("mpi/imbalance").allSatisfy { (1...2).contains($0.value) })
      #expect(before.points("learning_rate").map(\.value) == first.steps.map { Float($0["lr"] ?? .nan) })
      #expect(Set(before.points("momentum").map(\.value)) == [0.9])
      let measured = before.tags.filter { $0.hasPrefix("val/") }
      let logged = try #require(first.validations.first).keys.filter { $0.hasPrefix("bbox") }
      #expect(measured == Set(logged.map { "val/\($0)" }))
      #expect(
        before.tags.subtracting(measured).filter { !$0.hasPrefix("pictures/") }
          == Set(names.map { "train/\($0)" } + own + ["learning_rate", "momentum"]))
      let epoch = try #require(before.steps("val/bbox_mAP").first)
      #expect(first.validations[0]["iter"] != nil && (5...6).contains(epoch))

      let second = try run.train(
        "work", ranks: 2, batch: 4, iterations: 9, options: all, arguments: ["--resume", "work/iter_5.h5"])
      #expect(second.steps.count == 4)
      let after = try EventFolder(folder)
      #expect(after.starts == [0, 6])
      #expect(after.steps("train/loss") == Array(1...8) + Array(6...9))
      try expectPictures(after)
    }

    /// The same three after each evaluation, each as large as it is.
    private func expectPictures(_ events: EventFolder) throws {
      let pictures = events.pictures
      let names = pictures.prefix(3).map(\.tag)
      #expect(Set(names).count == 3 && names.allSatisfy { $0.hasPrefix("pictures/") })
      #expect(pictures.count % 3 == 0 && pictures.count == 3 * events.steps("val/bbox_mAP").count)
      #expect(pictures.indices.allSatisfy { pictures[$0].tag == names[$0 % 3] })
      for picture in pictures {
        let decoded = try ImageDecoder.decode([UInt8](picture.image.encodedImageString), path: picture.tag)
        #expect(decoded.width == Int(picture.image.width) && decoded.height == Int(picture.image.height))
        let original = try ImageDecoder.decode(run.folder.path("data/val/\(picture.tag.dropFirst(9))"))
        #expect(original.size == decoded.size)
        let differences = zip(decoded.pixels, original.pixels).count { abs(Int($0) - Int($1)) > 64 }
        #expect(differences > 100, "\(picture.tag): nothing is drawn")
      }
    }

    @Test(
      "interval, ignore_last, by_epoch and log_dir are mmcv's",
      arguments: [
        ("", "work/tf_logs", [4, 10]),
        (", ignore_last: false", "work/tf_logs", [4, 6, 10, 12]),
        (", by_epoch: false", "work/tf_logs", [4, 8, 12]),
        (", interval: 5, log_dir: seen/here", "seen/here", [5, 11]),
        (", interval: 100", "work/tf_logs", [6, 12]),
      ]) func points(hook: String, folder: String, steps: [Int]) throws
    {
      let more = ["mpi.tensorboard_pictures=0", "runner={type: EpochBasedRunner, max_epochs: 2}"]
      let log = try run.train(
        "work", ranks: 1, batch: 4, iterations: 12, options: options(interval: 4, hook: hook) + more)
      let events = try EventFolder(run.folder.path(folder))
      #expect(events.steps("train/loss") == steps)
      #expect(events.steps("val/bbox_mAP") == [6, 12] && log.validations.count == 2)
      #expect(events.pictures.isEmpty)
      #expect(events.tags.allSatisfy { !$0.hasPrefix("mpi/") })
      #expect(run.folder.exists("work/tf_logs") == (folder == "work/tf_logs"))
    }

    @Test("A folder that can't be written is said once and ends nothing") func failure() throws {
      let outcome = try run.program.succeed(
        run.command(
          "work", ranks: 1, batch: 4, iterations: 5, options: options(interval: 1, hook: ", log_dir: tiny.yaml/x")))
      let warnings = outcome.output.matches(of: #/WARNING - tiny.yaml/x: points or pictures for TensorBoard are lost/#)
      #expect(warnings.count == 1, "\(outcome)")
    }

    @Test(
      "TensorBoard's own reader has all of it",
      .enabled(if: Python.has("tensorboard"), "python3 with tensorboard is not installed"))
    func reader() throws {
      try run.train("work", ranks: 2, batch: 4, iterations: 8, options: options(interval: 1))
      try run.train(
        "work", ranks: 2, batch: 4, iterations: 10, options: options(interval: 1), arguments: ["--resume", "auto"])
      let events = try EventFolder(run.folder.path("work/tf_logs"))
      let lines = """
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        a = EventAccumulator('work/tf_logs', size_guidance={'images': 0, 'scalars': 0})
        a.Reload()
        for kind in ('scalars', 'images'):
          for tag in sorted(a.Tags()[kind]):
            print(tag, *(e.step for e in (a.Scalars if kind == 'scalars' else a.Images)(tag)))
        """
      let output = try Python.run(lines, in: run.folder.root)
      let read = output.split(separator: "\n").map(String.init)
      #expect(Set(read.map { String($0.prefix { $0 != " " }) }) == events.tags)
      #expect(read.contains("train/loss " + (1...10).map { "\($0)" }.joined(separator: " ")), "\(output)")
    }
  }
}
