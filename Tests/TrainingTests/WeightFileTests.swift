import Foundation
import TestSupport
import Testing
import Training

@Suite struct WeightFileTests {
  private func error(_ body: () throws -> Void) throws -> String {
    try #require(throws: CheckpointError.self) { try body() }.description
  }

  // What other programs write.

  @Test(arguments: ["mmdetection3.pth", "mmdetection3_legacy.pth", "weights.safetensors"])
  func allFormatsOfNumbersAreRead(_ file: String) throws {
    let (checkpoint, notices) = try WeightFixture.weights(file)
    #expect(checkpoint.bits("backbone.conv1.weight") == WeightFixture.floats)
    #expect(checkpoint.bits("backbone.bn1.weight") == WeightFixture.halves)
    #expect(checkpoint.bits("backbone.bn1.bias") == WeightFixture.bfloats)
    #expect(checkpoint.bits("backbone.bn1.running_mean") == [Float(0.1), 1 / 3, 0, 1].map(\.bitPattern))
    #expect(checkpoint.bits("backbone.bn1.running_var") == [Float(0), 1, 2, 3].map(\.bitPattern))
    #expect(checkpoint.batchCounts == ["backbone.bn1.num_batches_tracked": 123_456_789_012])
    let turned = try #require(checkpoint.model.first { $0.name == "roi_head.bbox_head.fc_cls.weight" })
    #expect(turned.shape == [3, 4] && turned.values == [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11])
    #expect(checkpoint.model.count == 6)
    #expect(notices.contains { $0.hasPrefix("1 arrays of 64 bits a number were rounded to float32 ('backbone.bn1.r") })
  }

  /// With the history of its losses, which are objects of its own, and the momenta, which are tensors elsewhere.
  @Test(arguments: ["mmdetection3.pth", "mmdetection3_legacy.pth"])
  func mmdetection3sCheckpointIsRead(_ file: String) throws {
    let (checkpoint, notices) = try WeightFixture.weights(file)
    #expect(checkpoint.classes == ["cat", "dog"] && checkpoint.epoch == 3 && checkpoint.iteration == 7)
    let dropped = "data_preprocessor.mean 123.675,116.28,103.53; data_preprocessor.std 58.395,57.12,57.375"
    #expect(notices.contains { $0.hasSuffix(dropped) }, "\(notices)")
  }

  @Test(arguments: ["module.pth", "module_legacy.pth"]) func aPickledModuleIsRefused(_ file: String) throws {
    let text = try error { _ = try WeightFixture.weights(file) }
    #expect(text.hasPrefix("\(file): error: it holds an object ('torch.nn.modules.linear.Linear') where the weights"))
    #expect(text.hasSuffix("save its state_dict(): torch.save(model.state_dict(), 'weights.pth')"))
  }

  @Test func torchvisionsSecondVersionIsTranslated() throws {
    let (checkpoint, notices) = try WeightFixture.weights("torchvision_v2.pth")
    let names = Set(checkpoint.model.map(\.name))
    for name in [
      "backbone.conv1.weight", "backbone.bn1.running_var", "neck.lateral_convs.0.conv.weight",
      "neck.lateral_convs.0.bn.running_mean", "neck.fpn_convs.3.bn.bias", "rpn_head.rpn_conv.0.conv.weight",
      "rpn_head.rpn_conv.1.conv.bias", "rpn_head.rpn_cls.weight", "rpn_head.rpn_reg.bias",
      "roi_head.bbox_head.shared_convs.0.conv.weight", "roi_head.bbox_head.shared_convs.0.bn.weight",
      "roi_head.bbox_head.shared_fcs.0.weight", "roi_head.bbox_head.fc_cls.bias",
    ] { #expect(names.contains(name), "no \(name) in \(names.sorted())") }
    #expect(checkpoint.batchCounts["neck.lateral_convs.0.bn.num_batches_tracked"] == 5)
    #expect(notices.contains { $0.contains("second version: they need a neck with norm_cfg BN") })
  }

  /// The fixture's rows are their own numbers, that is COCO's category ids.
  @Test func cocosClassesAreTakenFromAmongTheGaps() throws {
    let (checkpoint, notices) = try WeightFixture.weights("torchvision_v2.pth")
    let scores = try #require(checkpoint.model.first { $0.name == "roi_head.bbox_head.fc_cls.weight" })
    let boxes = try #require(checkpoint.model.first { $0.name == "roi_head.bbox_head.fc_reg.bias" })
    #expect(scores.shape == [81, 1] && boxes.shape == [320])
    #expect(scores.values == checkpoint.categoryIDs.map { Float($0) } + [0])
    #expect(boxes.values == checkpoint.categoryIDs.flatMap { id in (0..<4).map { Float(4 * id + $0) } })
    #expect(checkpoint.classes.count == 80 && checkpoint.categoryIDs.count == 80)
    let names = Dictionary(uniqueKeysWithValues: zip(checkpoint.categoryIDs, checkpoint.classes))
    for (id, name) in [1: "person", 11: "fire hydrant", 13: "stop sign", 67: "dining table", 90: "toothbrush"] {
      #expect(names[id] == name)
    }
    #expect(!checkpoint.categoryIDs.contains(12) && !checkpoint.categoryIDs.contains(91))
    #expect(notices.contains { $0.hasPrefix("of its 91 outputs the 80") })
  }

  @Test(arguments: ["by_hand.h5", "by_hand_groups.h5"]) func filesMadeByHandAreRead(_ file: String) throws {
    let (checkpoint, notices) = try WeightFixture.weights(file)
    let array = try #require(checkpoint.model.first { $0.name == "backbone.conv1.weight" })
    #expect(array.shape == [2, 3] && array.values == [0, 1, 2, 3, 4, 5])
    #expect(checkpoint.model.contains { $0.name == "backbone.bn1.weight" })
    let isGrouped = file == "by_hand_groups.h5"
    #expect(checkpoint.batchCounts == (isGrouped ? ["backbone.bn1.num_batches_tracked": 9] : [:]))
    #expect(notices.isEmpty == isGrouped, "\(notices)")
    #expect(isGrouped || notices.contains { $0.contains("no arrays of numbers were passed over ('comment'") })
  }

  // Round trips.

  @Test(arguments: ["pth", "safetensors"]) func everyBitComesBack(_ format: String) throws {
    let (checkpoint, _) = try WeightFixture.weights("mmdetection3.pth")
    var (read, name) = (checkpoint, "")
    for step in ["a.h5", "b.\(format)", "c.h5", "d.\(format)"] {
      read = try Checkpoint.weights(in: read.image(named: step), name: step).checkpoint
      #expect(read.contents == checkpoint.contents, "\(name) → \(step)")
      #expect(read.classes == checkpoint.classes && read.epoch == 3 && read.iteration == 7, "\(step)")
      name = step
    }
  }

  @Test func namesWithSlashesAreWrittenAsTheyAre() throws {
    var checkpoint = try WeightFixture.weights("mmdetection3.pth").checkpoint
    checkpoint.classes = ["cat/lynx", "dog"]
    let image = try checkpoint.image(named: "a.safetensors")
    #expect(image.firstRange(of: Array("cat/lynx".utf8)) != nil)
    #expect(try Checkpoint.weights(in: image, name: "a.safetensors").checkpoint.classes == checkpoint.classes)
  }

  @Test func torchvisionsNamesComeBack() throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: GoldenCase.path("tiny_torchvision_new.pth"))))
    let (checkpoint, _) = try Checkpoint.weights(in: bytes, name: "t.pth")
    for name in ["w.pth", "w.safetensors"] {
      let image = try checkpoint.image(named: name, .torchvision)
      #expect(image.firstRange(of: Array("backbone.fpn.inner_blocks.0.0.weight".utf8)) != nil)
      let again = try Checkpoint.weights(in: image, name: name)
      var expected = checkpoint
      expected.batchCounts = again.checkpoint.batchCounts
      #expect(again.checkpoint.contents == expected.contents)
      #expect(again.notices.first?.hasPrefix("these are torchvision's weights") == true)
    }
  }

  @Test func batchNormsGetTheirCount() throws {
    let (checkpoint, _) = try WeightFixture.weights("torchvision_v2.pth")
    var bare = checkpoint
    bare.batchCounts = [:]
    let read = try Checkpoint.weights(in: bare.image(named: "w.pth"), name: "w.pth").checkpoint
    #expect(read.batchCounts.keys.sorted() == checkpoint.batchCounts.keys.sorted())
    #expect(read.batchCounts.values.allSatisfy { $0 == 0 })
  }

  @Test func whatTorchvisionHasNotIsRefused() throws {
    let (checkpoint, _) = try WeightFixture.weights("torchvision_v2.pth")
    let text = try error { _ = try checkpoint.image(named: "w.pth", .torchvision) }
    #expect(text.contains("has no place in torchvision's Faster R-CNN; without --names"))
    let ending = try #require(throws: RunError.self) { _ = try checkpoint.image(named: "w.onnx") }
    #expect(ending.exitCode == .usage && ending.description.hasSuffix("end it with .h5, .pth or .safetensors"))
  }

  // Damage.

  @Test func aDamagedSafetensorsFileIsRefused() throws {
    let bytes = try WeightFixture.bytes("weights.safetensors")
    for count in 0..<bytes.count {
      #expect(throws: CheckpointError.self) {
        _ = try Checkpoint.weights(in: Array(bytes.prefix(count)), name: "w.safetensors")
      }
    }
    func text(_ header: String, _ data: Int) throws -> String {
      let head = Array(header.utf8)
      let length = (0..<8).map { UInt8(truncatingIfNeeded: head.count >> (8 * $0)) }
      let file = length + head + [UInt8](repeating: 0, count: data)
      return try error { _ = try Checkpoint.weights(in: file, name: "w") }
    }
    let good = #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#
    let second = good.replacing("\"a\"", with: "\"b\"")
    #expect(try text("{\(good),\(second)}", 16).hasSuffix("'b' doesn't begin where the tensor before it ends"))
    #expect(try text("{\(good)}", 9).contains("its tensors take 8 of 9 bytes"))
    #expect(try text("{\(good.replacing("[2]", with: "[3]"))}", 8).hasSuffix("'a' of shape [3] has 8 bytes"))
    let huge = good.replacing("[2]", with: "[4611686018427387904,4]")
    #expect(try text("{\(huge)}", 8).contains("'a' of shape [4611686018427387904, 4] has 8 bytes"))
    #expect(try text("{\(String(repeating: "[", count: 100_000))}", 8).contains("its header is not JSON"))
    #expect(try text("{}", 0) == "w: error: it holds no tensors")
  }

  /// An array of 4 TiB of which nothing is stored, and a group in itself.
  @Test(arguments: [("huge.h5", "of shape [1048576, 1048576]"), ("circle.h5", "groups without end")])
  func anHDF5FileWithoutAnEndIsRefused(_ file: String, _ reason: String) throws {
    let text = try error { _ = try WeightFixture.weights(file) }
    #expect(text.hasPrefix("\(file): error: the checkpoint is damaged: HDF5 could not read or write"), "\(text)")
    #expect(text.contains(reason), "\(text)")
  }

  /// HDF5 has no checksum over strings; with some of these flips its library crashes or comes to no end.
  @Test func flippedBitsInTheHeapOfStringsAreSurvived() throws {
    let image = Array(try CheckpointTests.sample().image().dropLast(16))
    let heap = try #require(image.firstRange(of: Array("GCOL".utf8))).lowerBound
    var refused = 0
    for offset in [8, 9, 16, 17, 18, 24, 25, 26, 32, 56, 57] {
      var flipped = image
      flipped[heap + offset] ^= 1
      do {
        _ = try Checkpoint(image: flipped, name: "w.h5")
      } catch {
        #expect(error.description.hasPrefix("w.h5: error: "))
        refused += 1
      }
    }
    #expect(refused > 0)
  }

  @Test func whatIsNoFileOfWeightsIsNamed() throws {
    func text(_ start: String) throws -> String {
      try error { _ = try Checkpoint.weights(in: Array(start.utf8), name: "w.pth") }
    }
    #expect(try text("<!DOCTYPE html><html>").hasPrefix("w.pth: error: this is a web page"))
    #expect(try text("version https://git-lfs.github.com/spec/v1\n").contains("a pointer of Git LFS"))
    #expect(try text("") == "w.pth: error: the file is empty")
    #expect(try text("weights").contains("this is not an HDF5 file, so not a checkpoint of rcnn-train, nor a file of"))
  }
}
