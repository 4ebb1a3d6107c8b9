import Foundation
import TestSupport
import Testing
import Training

/// The lines of Python in `configs/CHECKPOINT.md` are run as they stand.
@Suite struct CheckpointPageTests {
  private static let hasH5py: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", "import h5py, numpy"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  @Test(.enabled(if: hasH5py, "python3 with h5py and numpy is not installed")) func linesOfPythonRun() throws {
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
      let output = try python(block, in: folder)
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

  private func python(_ text: String, in folder: URL) throws -> String {
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", text]
    process.currentDirectoryURL = folder
    (process.standardOutput, process.standardError) = (pipe, pipe)
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(output)")
    return output
  }
}
