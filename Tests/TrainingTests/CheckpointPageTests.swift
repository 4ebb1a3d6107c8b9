import Foundation
import TestSupport
import Testing
import Training

/// The lines of Python in `configs/CHECKPOINT.md` are run as they stand.
@Suite struct CheckpointPageTests {
  @Test(.enabled(if: Python.has("h5py", "numpy"), "python3 with h5py and numpy is not installed"))
  func linesOfPythonRun() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("page-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let workDir = folder.appendingPathComponent("work_dirs/my")
    try FileManager.default.createDirectory(at: workDir, withIntermediateDirectories: true)
    let model = DetectorModel(try ReferenceDetector.configuration(GoldenCase.all("detector")[0]), seed: 0, threads: 1)
    let checkpoint = Checkpoint(
      created: "2026-01-31", producer: "test", epoch: 7, iteration: 70, worldSize: 1, globalBatch: 2, seed: 0,
      configuration: "", classes: ["a", "b", "c", "d"], categoryIDs: [1, 2, 3, 4], model: model.exportedModel())
    try CheckpointFile.write(checkpoint.image(), to: workDir.appendingPathComponent("latest.h5").path)

    let page = try String(contentsOfFile: "\(ConfigurationFixture.repository)/configs/CHECKPOINT.md", encoding: .utf8)
    let blocks = page.components(separatedBy: "```python\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    #expect(blocks.count == 2)
    for (number, block) in blocks.enumerated() {
      let output = try Python.run(block, in: folder.path)
      if number == 0 {
        #expect(output.contains("7 ") && output.contains("backbone/conv1/weight (4, 3, 7, 7)"), "\(output)")
      }
    }
    let (byHand, _) = try Checkpoint.weights(reading: folder.appendingPathComponent("by_hand.h5").path)
    #expect(byHand.classes == ["a", "b", "c", "d"])
    let name = "roi_head.bbox_head.fc_cls.weight"
    let (old, new) = (
      try #require(checkpoint.model.first { $0.name == name }), try #require(byHand.model.first { $0.name == name })
    )
    #expect(new.values == old.values.map { $0 * 0.5 })
    #expect(byHand.model.count == checkpoint.model.count)
  }
}
