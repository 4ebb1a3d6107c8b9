import HDF5
import Testing
import Training

/// HDF5 files that are not our checkpoints.
@Suite struct CheckpointFormatTests {
  private func error(_ build: (HDF5Writer) throws -> Void) throws -> String {
    let writer = try HDF5Writer()
    try build(writer)
    do {
      _ = try Checkpoint(image: writer.image(), name: "x.h5")
      return "none"
    } catch let error as CheckpointError { return error.description }
  }

  @Test func anotherKindOfFile() throws {
    let expected = "x.h5: error: this HDF5 file is not a checkpoint of rcnn-train: its attribute 'format' is not "
    #expect(try error { _ in } == expected + "'rcnn-checkpoint'")
    #expect(try error { try $0.set("format", to: "keras") } == expected + "'rcnn-checkpoint'")
    #expect(try error { try $0.set("format", to: 3) } == expected + "'rcnn-checkpoint'")
  }

  @Test func anotherVersion() throws {
    let text = try error {
      try $0.set("format", to: "rcnn-checkpoint")
      try $0.set("format_version", to: 3)
    }
    #expect(
      text == "x.h5: error: the checkpoint has format version 3, this program reads versions 1 and 2; "
        + "use the rcnn-train that wrote it")
  }

  @Test func missingParts() throws {
    let text = try error {
      try $0.set("format", to: "rcnn-checkpoint")
      try $0.set("format_version", to: 1)
    }
    #expect(text.hasPrefix("x.h5: error: the checkpoint is damaged: HDF5 could not read or write attribute created"))
  }
}
