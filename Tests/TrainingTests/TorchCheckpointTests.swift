import Detection
import Foundation
import Primitives
import Tensors
import TestSupport
import Testing
import Training

/// Files that PyTorch 1.8 wrote, in its three forms.
@Suite struct TorchCheckpointTests {
  private static func bytes(_ file: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: GoldenCase.path(file))))
  }

  private func read(_ file: String) throws -> Checkpoint {
    try TorchCheckpoint(Self.bytes(file), name: file).checkpoint
  }

  @Test(arguments: [0, 1]) func mmdetectionsTensorsAreRead(_ number: Int) throws {
    let golden = try GoldenCase.all("checkpoints")[number]
    let checkpoint = try read(try #require(golden.string("file")))
    #expect(checkpoint.classes == ["cat", "dog", "bird", "fish"])
    #expect(checkpoint.epoch == golden.integer("epoch") && checkpoint.iteration == golden.integer("iter"))
    let names = try golden.names("tensor_names")
    let shapes = try JSONDecoder().decode(
      [[Int]].self, from: Data(try #require(golden.string("tensor_shapes")).utf8))
    let (sums, norms) = (try golden.doubles("expected/tensor_sum"), try golden.doubles("expected/tensor_l2"))
    let kept = names.indices.filter { !names[$0].hasSuffix("num_batches_tracked") }
    #expect(checkpoint.model.map(\.name) == kept.map { names[$0] })
    #expect(checkpoint.model.map(\.shape) == kept.map { shapes[$0] })
    for (array, index) in zip(checkpoint.model, kept) {
      let values = array.values.map(Double.init)
      let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let limit = 1e-12 * (norms[index] * Double(values.count).squareRoot())
      #expect(abs(values.reduce(0, +) - sums[index]) <= limit, "\(array.name)")
      #expect(abs(norm - norms[index]) <= 1e-12 * norms[index], "\(array.name)")
    }
  }

  @Test func bothFormatsHoldTheSame() throws {
    #expect(try read("tiny_mmdet.pth") == read("tiny_mmdet_legacy.pth"))
  }

  @Test func modelDetectsAsInMMDetection() throws {
    let golden = try GoldenCase.all("checkpoints")[0]
    let model = DetectorModel(try ReferenceDetector.configuration(golden), seed: 0, threads: 2)
    let weights = WeightImport(
      path: "tiny_mmdet.pth", checkpoint: try read("tiny_mmdet.pth"), classes: try read("tiny_mmdet.pth").classes,
      demand: .whole)
    #expect(try weights.load(into: model.store) == [])
    let (shape, factors) = (try golden.integers("inputs/img_shapes"), try golden.floats("inputs/scale_factors"))
    let size = ImageSize(height: shape[0], width: shape[1])
    let meta = ImageMeta(imageID: 0, imgShape: size, padShape: size, scaleFactor: (factors[0], factors[1]))
    let image = try golden.image(on: model.engine)
    let detections = try model.detector.detect(DetectorInput(images: image, metas: [meta]))[0]
    #expect(try detections.map(\.label) == golden.integers("expected/img0_det_labels"))
    try golden.expectBoxes(detections.map { ($0.box, $0.score) }, "expected/img0_det_bboxes")
  }

  @Test func viewsSharedStoragesAndTypesAreRead() throws {
    let golden = try GoldenCase.all("checkpoints")[2]
    let model = try read("tiny_bare_state_dict.pth").model
    let names = try golden.members("expected")
    #expect(model.count == names.count && names.count == 15)
    for name in names {
      let short = name.hasPrefix("module.") ? String(name.dropFirst(7)) : name
      let array = try #require(model.first { $0.name == short })
      #expect(try array.shape == golden.shape("expected/\(name)"), "\(name)")
      #expect(try array.values == golden.floats("expected/\(name)"), "\(name)")
    }
  }

  @Test func aCheckpointKeepsWhatWasRead() throws {
    for file in ["tiny_bare_state_dict.pth", "tiny_mmdet.pth"] {
      let checkpoint = try read(file)
      let again = try Checkpoint(image: checkpoint.image(), name: "c.h5")
      #expect(again.classes == checkpoint.classes && again.epoch == checkpoint.epoch)
      #expect(again.model.sorted { $0.name < $1.name } == checkpoint.model.sorted { $0.name < $1.name })
    }
  }

  // Damage.

  private func message(_ bytes: [UInt8]) throws -> String {
    try #require(throws: CheckpointError.self) { _ = try TorchCheckpoint(bytes, name: "w.pth") }.description
  }

  @Test(arguments: ["tiny_mmdet_legacy.pth", "tiny_bare_state_dict.pth"])
  func cutFilesAreRefused(_ file: String) throws {
    let bytes = try Self.bytes(file)
    for part in 0..<40 {
      let cut = Array(bytes.prefix(bytes.count * part / 40))
      #expect(try message(cut).hasPrefix("w.pth: error: "))
    }
    #expect(
      try message(Array(bytes.dropLast(1)))
        == "w.pth: error: the PyTorch file was cut off or is damaged; fetch it again")
  }

  /// Whatever the damage: a reading or an error.
  @Test(arguments: ["tiny_mmdet_legacy.pth", "tiny_bare_state_dict.pth"])
  func noDamageEndsTheProgram(_ file: String) throws {
    let bytes = try Self.bytes(file)
    var random = KeyedRandom(seed: 3, purpose: .test)
    for _ in 0..<200 {
      var damaged = bytes
      let place = Int(random.uniform() * Float(min(bytes.count, 60000)))
      damaged[min(place, bytes.count - 1)] = UInt8(random.uniform() * 255)
      _ = Result { () throws(CheckpointError) in try TorchCheckpoint(damaged, name: "w.pth") }
    }
  }

  @Test func damageInAnArchiveIsFound() throws {
    var bytes = try Self.bytes("tiny_bare_state_dict.pth")
    let place = try #require(bytes.firstRange(of: Array("_rebuild_tensor_v2".utf8)))
    bytes[place.lowerBound + 3] ^= 1
    #expect(
      try message(bytes)
        == "w.pth: error: it is damaged: the checksum of its entry 'archive/data.pkl' is wrong")
  }

  @Test func unknownObjectsAreRefused() throws {
    var bytes = try Self.bytes("tiny_mmdet_legacy.pth")
    while let place = bytes.firstRange(of: Array("OrderedDict".utf8)) {
      bytes.replaceSubrange(place, with: Array("OrderedBomb".utf8))
    }
    #expect(
      try message(bytes) == """
        w.pth: error: it holds an object ('collections.OrderedBomb') where the weights should be, and nothing in a file is \
        run here; in the program that made it save its state_dict(): torch.save(model.state_dict(), 'weights.pth')
        """)
  }
}

extension GoldenCase {
  /// `inputs/img`, channels innermost.
  func image(on engine: Engine) throws -> Tensor {
    let shape = try shape("inputs/img")
    let values = channelsInnermost(try floats("inputs/img"), shape)
    return Tensor([shape[0], shape[2], shape[3], shape[1]], values, on: engine)
  }
}
