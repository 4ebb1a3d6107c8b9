import Foundation
import TestSupport
import Testing
import Training

@Suite struct CheckpointTests {
  static func sample(created: String = "2026-01-31", values: Float = 1) -> Checkpoint {
    let weight = Checkpoint.Array(
      name: "backbone.conv1.weight", shape: [8, 3, 7, 7], values: (0..<1176).map { Float($0) * values })
    let bias = Checkpoint.Array(
      name: "roi_head.bbox_head.fc_cls.bias", shape: [81], values: .init(repeating: 2, count: 81))
    return Checkpoint(
      created: created, producer: "rcnn-train 1.0", epoch: 3, iteration: 12_000, worldSize: 4, globalBatch: 8,
      seed: .max - 5, configuration: "model:\n  type: FasterRCNN\n", classes: ["person", "bicycle"],
      categoryIDs: [1, 2], model: [weight, bias], states: [.momentum: [weight]], progress: ["epoch": 3, "images": 17])
  }

  private func error(_ image: [UInt8]) -> String {
    do {
      _ = try Checkpoint(image: image, name: "epoch_3.h5")
      return "none"
    } catch { return error.description }
  }

  @Test func roundTrip() throws {
    let checkpoint = Self.sample()
    let image = try checkpoint.image()
    #expect(try Checkpoint(image: image, name: "x") == checkpoint)
    #expect(try checkpoint.image() == image)
    #expect(try Checkpoint(image: image, name: "x").image() == image)
  }

  @Test func theDayIsADay() {
    #expect(Checkpoint.today().wholeMatch(of: /20\d\d-[01]\d-[0-3]\d/) != nil)
  }

  /// The layout that other programs rely on.
  @Test(.enabled(if: areInstalled("h5diff", "h5dump"), "HDF5's tools are not installed"))
  func h5diffAndH5dumpReadIt() throws {
    let directory = try Scratch()
    let paths = ["a.h5", "b.h5", "c.h5"].map { directory.path + "/" + $0 }
    try CheckpointFile.write(Self.sample().image(), to: paths[0])
    try CheckpointFile.write(Self.sample().image(), to: paths[1])
    try CheckpointFile.write(Self.sample(values: 1.0001).image(), to: paths[2])
    #expect(try Scratch.run("h5diff", paths[0], paths[1]) == "")
    #expect(try Scratch.run("h5diff", paths[0], paths[2]).contains("differences found"))
    let dump = try Scratch.run("h5dump", "-pH", paths[0])
    for part in [
      "ATTRIBUTE \"format\"", "ATTRIBUTE \"iter\"", "ATTRIBUTE \"category_ids\"", "GROUP \"momentum\"",
      "DATASET \"weight\"", "FLETCHER32", "H5T_IEEE_F32LE", "( 8, 3, 7, 7 )",
    ] { #expect(dump.contains(part), "no \(part) in \(dump)") }
  }

  @Test func flippedBitsAreNoticed() throws {
    let checkpoint = Self.sample()
    let image = try checkpoint.image()
    for place in image.indices {
      var flipped = image
      flipped[place] ^= 1 << (place % 8)
      // The mark of the checksum is not under it.
      let isMark = image.count - 16..<image.count - 8 ~= place
      let read = try? Checkpoint(image: flipped, name: "x")
      #expect(read == (isMark ? checkpoint : nil), "a flip at \(place) of \(image.count)")
    }
  }

  /// HDF5's own checksums guard the numbers of a file from another program.
  @Test func numbersAreGuardedWithoutTheChecksum() throws {
    let image = Array(try Self.sample(values: 0.37).image().dropLast(16))
    #expect(try Checkpoint(image: image, name: "x") == Self.sample(values: 0.37))
    let value = withUnsafeBytes(of: Float(500) * 0.37) { Array($0) }
    var flipped = image
    flipped[try #require(image.firstRange(of: value)).lowerBound] ^= 4
    #expect(
      error(flipped).hasPrefix("epoch_3.h5: error: the checkpoint is damaged: HDF5 could not read or write epoch_3.h5:")
    )
  }

  @Test func errorsAreSentences() throws {
    let image = try Self.sample().image()
    #expect(
      error(Array(image[..<1000])) == "epoch_3.h5: error: the checkpoint is damaged: it was cut off or its beginning "
        + "overwritten (1000 bytes are there); use an older one")
    #expect(
      error(Array("PK\u{3}\u{4}archive".utf8)) == "epoch_3.h5: error: this is not an HDF5 file, so not a checkpoint of "
        + "rcnn-train; 'rcnn-train convert' makes one of a .pth or .safetensors file")
    #expect(error([]).contains("not an HDF5 file"))
    var flipped = image
    let text = try #require(image.firstRange(of: Array("FasterRCNN".utf8)))
    flipped[text.lowerBound] ^= 1
    #expect(
      error(flipped) == "epoch_3.h5: error: the checkpoint is damaged: its checksum is wrong, so bytes in it have "
        + "changed since it was written; use an older one")
  }
}
