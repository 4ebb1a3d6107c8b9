import Foundation
import Testing
import Training

/// Logs of several runs in one work directory become one training.
@Suite struct TrainingHistoryTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  private func write(_ lines: [String], to name: String, end: String = "\n") throws {
    try (lines.joined(separator: "\n") + end).write(
      toFile: "\(folder.path)/\(name)", atomically: false, encoding: .utf8)
  }

  private let head = #"{"env_info": "rcnn-train, 2 ranks", "seed": 0, "exp_name": "x"}"#

  private func step(_ epoch: Int, _ iteration: Int, _ loss: String) -> String {
    #"{"mode": "train", "epoch": \#(epoch), "iter": \#(iteration), "lr": 0.01, "loss_cls": 0.5, "loss": \#(loss), "time": 0.2}"#
  }

  private func evaluation(_ epoch: Int, _ iteration: Int, _ precision: Double) -> String {
    #"{"mode": "val", "epoch": \#(epoch), "iter": \#(iteration), "lr": 0.01, "bbox_mAP": \#(precision), "bbox_mAP_copypaste": "0.1 0.2"}"#
  }

  @Test func laterFilesReplaceTheStepsThatWereTakenAgain() throws {
    try write(
      [head, step(1, 10, "9"), step(1, 20, "8"), evaluation(1, 6, 0.1), step(2, 10, "7"), step(2, 20, "6")]
        + [evaluation(2, 6, 0.2), step(3, 10, "5")],
      to: "20260101_000000.log.json")
    // Resumed at the end of the first epoch.
    try write(
      [head, step(2, 10, "70"), step(2, 20, "60"), evaluation(2, 6, 0.25)], to: "20260102_000000.log.json")
    // And once more in the middle of the second.
    try write([head, step(2, 20, "61"), step(3, 10, "51"), evaluation(3, 6, 0.3)], to: "20260103_000000.log.json")
    let history = TrainingHistory(in: folder.path)
    #expect(history.countsEpochs)
    let losses = history.curve("loss", iterationsPerEpoch: 20)
    #expect(losses == [SIMD2(0.5, 9), SIMD2(1, 8), SIMD2(1.5, 70), SIMD2(2, 61), SIMD2(2.5, 51)])
    // That of the second epoch follows its last step, which was taken again.
    #expect(history.evaluationCurve("bbox_mAP") == [SIMD2(1, 0.1), SIMD2(3, 0.3)])
    #expect(history.names == ["loss", "loss_cls", "lr", "time"])
    #expect(history.runs.map(\.file) == ["20260101", "20260102", "20260103"].map { "\($0)_000000.log.json" })
    #expect(history.runs.allSatisfy { $0.environment == "rcnn-train, 2 ranks" })
    #expect(history.resumptions(iterationsPerEpoch: 20) == [1.5, 2])
    #expect(history.notices.isEmpty, "\(history.notices)")
  }

  @Test func aRunFromTheBeginningReplacesAll() throws {
    try write([head, step(1, 5, "9"), step(1, 10, "8"), evaluation(1, 6, 0.1)], to: "20260101_000000.log.json")
    try write([head, step(1, 20, "3"), step(1, 40, "2")], to: "20260102_000000.log.json")
    let history = TrainingHistory(in: folder.path, countsEpochs: true)
    #expect(history.steps.map { $0.values["loss"] } == [3, 2] && history.evaluations.isEmpty)
    #expect(history.resumptions().isEmpty)
  }

  @Test func runsOfIterationsCountThem() throws {
    try write(
      [head, step(1, 10, "9"), step(1, 20, "8"), evaluation(1, 20, 0.1), step(2, 30, "7"), evaluation(2, 30, 0.2)],
      to: "20260101_000000.log.json")
    try write([head, step(1, 25, "6.5"), step(2, 30, "6")], to: "20260102_000000.log.json")
    let history = TrainingHistory(in: folder.path, countsEpochs: false)
    #expect(history.curve("loss") == [SIMD2(10, 9), SIMD2(20, 8), SIMD2(25, 6.5), SIMD2(30, 6)])
    #expect(history.evaluationCurve("bbox_mAP") == [SIMD2(20, 0.1)])
    #expect(!TrainingHistory(in: folder.path).countsEpochs)
    #expect(history.resumptions() == [25])
  }

  @Test func aLineThatIsCutOffIsLeftOutAndSaid() throws {
    try write([head, step(1, 10, "9"), String(step(1, 20, "8").prefix(30))], to: "20260101_000000.log.json", end: "")
    let history = TrainingHistory(in: folder.path)
    #expect(history.steps.count == 1)
    #expect(
      history.notices.count == 1 && history.notices[0].contains("20260101_000000.log.json: the last line is cut off"))
  }

  @Test func otherLinesThatAreNoneAreCounted() throws {
    try write(
      [head, "nonsense", step(1, 10, "9"), "{", #"{"mode": "bad_pictures", "of_epoch": 1}"#, "[]", step(1, 20, "8")],
      to: "20260101_000000.log.json")
    let history = TrainingHistory(in: folder.path)
    #expect(history.steps.count == 2)
    #expect(
      history.notices == [
        "20260101_000000.log.json: 3 lines are no JSON (the first is line 2) and left out"
      ])
  }

  @Test func whatIsNotFiniteLeavesAGap() throws {
    try write([head, step(1, 10, "9"), step(1, 20, "null"), step(1, 30, "7")], to: "20260101_000000.log.json")
    let history = TrainingHistory(in: folder.path)
    let losses = history.curve("loss")
    #expect(losses.count == 3 && losses[1].y.isNaN && history.countNotFinite("loss") == 1)
    #expect(history.curve("loss_cls").count == 3)
  }

  @Test func nothingIsNoError() throws {
    let history = TrainingHistory(in: "\(folder.path)/nowhere")
    #expect(history.runs.isEmpty && history.steps.isEmpty && history.notices.isEmpty)
    try write([], to: "20260101_000000.log.json", end: "")
    #expect(TrainingHistory(in: folder.path).runs.count == 1)
  }
}
