import Foundation
import Testing
import Training

@Suite struct WeightsLibraryTests {
  private func error(_ library: WeightsLibrary, _ source: String) throws -> CheckpointError {
    try #require(throws: CheckpointError.self) { _ = try library.locate(source, key: "load_from") }
  }

  private func put(_ text: String, _ folder: String, _ name: String) throws -> String {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    return "\(folder)/\(name)"
  }

  @Test func pathsStayPaths() throws {
    let library = WeightsLibrary(weightsDir: nil, environment: [:])
    #expect(try library.locate("work/none.pth", key: "load_from") == "work/none.pth")
  }

  @Test func whatIsMissingIsSaidWithItsAddressAndPlace() throws {
    let library = WeightsLibrary(weightsDir: nil, environment: ["HOME": "/nowhere"])
    let missing = try error(library, "torchvision://resnet50")
    #expect(
      missing.description == """
        load_from: error: 'torchvision://resnet50' is not on this machine, and nothing is downloaded; fetch \
        https://download.pytorch.org/models/resnet50-0676ba61.pth and put it into /nowhere/.cache/torch/hub/checkpoints, or \
        into a folder that mpi.weights_dir names, or name a file of your own
        """)
    #expect(missing.exitCode == .inputMissing)
    let other = WeightsLibrary(weightsDir: "mine", environment: [:])
    for (source, text) in [
      (
        "open-mmlab://detectron2/resnet50_caffe",
        "/third_party/resnet50_msra-5891d200.pth and put it into mine, or name"
      ),
      ("torchvision://vgg16", "is not known here; known are resnet101, "),
      ("s3://bucket/w.pth", "fetch the file that it stands for and name that"),
      ("https://host/w.pth?raw=1", "fetch https://host/w.pth?raw=1 and put it into mine"),
    ] { #expect(try error(other, source).description.contains(text), "\(source)") }
  }

  /// Names end with the first digits of the contents' digest.
  @Test func filesAreFoundAndChecked() throws {
    let folder = try Scratch()
    let library = WeightsLibrary(weightsDir: "\(folder.path)/mine", environment: ["TORCH_HOME": "\(folder.path)/torch"])
    let hub = "\(folder.path)/torch/hub/checkpoints"
    let digests = [
      ("", "e3b0c442"), ("abc", "ba7816bf"), (String(repeating: "a", count: 55), "9f4390f8"),
      (String(repeating: "a", count: 56), "b35439a4"), (String(repeating: "a", count: 64), "ffe054fe"),
      (String(repeating: "a", count: 1000), "41edece4"),
    ]
    for (text, digest) in digests {
      let path = try put(text, hub, "model-\(digest).pth")
      #expect(try library.locate("https://host/model-\(digest).pth", key: "load_from") == path, "\(text.count)")
    }
    let mine = try put("abc", "\(folder.path)/mine", "model-ba7816bf.pth")
    #expect(try library.locate("https://host/a/model-ba7816bf.pth", key: "load_from") == mine)
    _ = try put("cut", hub, "resnet18-5c106cde.pth")
    let damaged = try error(library, "torchvision://resnet18")
    #expect(damaged.exitCode == .badData)
    #expect(damaged.description.contains("was not fetched to its end: its SHA-256 begins with "))
  }

  // A folder as a checkpoint.

  private func write(_ iteration: Int, _ path: String) throws {
    var checkpoint = CheckpointTests.sample()
    checkpoint.iteration = iteration
    try CheckpointFile.write(checkpoint.image(), to: path)
  }

  @Test func aFolderMeansTheNewestGoodCheckpoint() throws {
    let folder = try Scratch()
    func iteration() throws -> Int { try Checkpoint.weights(reading: folder.path).checkpoint.iteration }
    #expect(throws: CheckpointError.self) { _ = try iteration() }
    try write(30, "\(folder.path)/epoch_3.h5")
    try write(10, "\(folder.path)/epoch_9.h5")
    #expect(try iteration() == 30)
    // The link lags behind where a run is killed before it is made anew.
    try CheckpointFile.link("\(folder.path)/latest.h5", to: "epoch_9.h5")
    #expect(try iteration() == 30)
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(folder.path)/epoch_9.h5"))
    let (checkpoint, notices) = try Checkpoint.weights(reading: folder.path)
    #expect(checkpoint.iteration == 30)
    let sentence = "passed over: \(folder.path)/epoch_9.h5: error: this is not an HDF5 file"
    #expect(notices.contains { $0.hasPrefix(sentence) })
    #expect(notices.last == "the newest good checkpoint in it is \(folder.path)/epoch_3.h5")
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(folder.path)/epoch_3.h5"))
    let none = try #require(throws: CheckpointError.self) { _ = try iteration() }
    #expect(none.description.hasPrefix("\(folder.path): error: none of its 2 checkpoints can be read: "))
  }
}
