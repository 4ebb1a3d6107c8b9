import Detection
import Foundation
import Tensors
import TestSupport
import Testing
import Training

/// What a file of weights may lack, and what is said of it.
@Suite struct WeightImportTests {
  private func model() throws -> DetectorModel {
    DetectorModel(try ReferenceDetector.configuration(GoldenCase.all("detector")[0]), seed: 0, threads: 1)
  }

  private func checkpoint(_ arrays: [Checkpoint.Array], classes: [String] = []) -> Checkpoint {
    Checkpoint(
      created: "2026-01-31", producer: "x", epoch: 0, iteration: 0, worldSize: 1, globalBatch: 1, seed: 0,
      configuration: "", classes: classes, categoryIDs: [], model: arrays)
  }

  private func load(
    _ arrays: [Checkpoint.Array], _ demand: WeightImport.Demand, classes: [String] = ["a", "b", "c", "d"],
    into model: DetectorModel
  ) throws -> [String] {
    try WeightImport(
      path: "w.pth", checkpoint: checkpoint(arrays), classes: classes, demand: demand
    ).load(into: model.store)
  }

  @Test func whatIsMissingOrUnexpectedIsListedAsMMCVDoes() throws {
    let (source, target) = (try model(), try model())
    var arrays = source.exportedModel().filter { !$0.name.hasPrefix("rpn_head.rpn_reg.") }
    arrays.append(Checkpoint.Array(name: "ema.decay", shape: [1], values: [1]))
    let lines = try load(arrays, .fitting, into: target)
    #expect(
      lines == [
        "w.pth: unexpected key in source state_dict: ema.decay: not used",
        "w.pth: missing keys in source state_dict: rpn_head.rpn_reg.weight, rpn_head.rpn_reg.bias: these start fresh",
        "w.pth does not name its classes: they are taken in this run's order, a, b, c, d",
      ])
    let error = try #require(throws: RunError.self) { try load(arrays, .whole, into: target) }
    #expect(
      error.description
        == "w.pth: error: 'rpn_head.rpn_reg.weight' is missing; was it made with another configuration?")
  }

  @Test func anotherShapeIsAnErrorWhereNoClassesExplainIt() throws {
    var arrays = try model().exportedModel()
    let place = try #require(arrays.firstIndex { $0.name == "rpn_head.rpn_conv.bias" })
    arrays[place] = Checkpoint.Array(name: arrays[place].name, shape: [3], values: [1, 2, 3])
    for demand in [WeightImport.Demand.fitting, .whole] {
      let error = try #require(throws: RunError.self) { try load(arrays, demand, into: model()) }
      #expect(error.description.hasPrefix("w.pth: error: 'rpn_head.rpn_conv.bias' has shape [3], the model expects ["))
    }
  }

  /// As torchvision's own ResNet files are: no `backbone.`, and a classifier.
  @Test(arguments: [WeightImport.Demand.fitting, .backbone]) func aBareBackboneIsTaken(
    _ demand: WeightImport.Demand
  ) throws {
    let (source, target) = (try model(), try model())
    var arrays = source.exportedModel().filter { $0.name.hasPrefix("backbone.") }.map { array in
      Checkpoint.Array(
        name: String(array.name.dropFirst("backbone.".count)), shape: array.shape, values: array.values.map { $0 + 1 })
    }
    arrays.append(Checkpoint.Array(name: "fc.weight", shape: [1, 1], values: [0]))
    let lines = try load(arrays, demand, into: target)
    #expect(
      lines.contains { $0.contains("unexpected key in source state_dict: backbone.fc.weight: not used") }, "\(lines)")
    let (before, after) = (source.exportedModel(), target.exportedModel())
    for (a, b) in zip(before, after) {
      #expect(b.values == (a.name.hasPrefix("backbone.") ? a.values.map { $0 + 1 } : a.values), "\(a.name)")
    }
    let missing = lines.contains { $0.contains("missing keys in source state_dict: neck.") }
    #expect(missing == (demand == .fitting), "\(lines)")
  }

  /// `model.pretrained` may be a whole detector.
  @Test func theBackboneOfADetectorIsTaken() throws {
    let (source, target) = (try model(), try model())
    let arrays = source.exportedModel().map {
      Checkpoint.Array(name: $0.name, shape: $0.shape, values: $0.values.map { $0 + 1 })
    }
    #expect(try load(arrays, .backbone, into: target) == [])
    for (a, b) in zip(source.exportedModel(), target.exportedModel()) {
      #expect(b.values == (a.name.hasPrefix("backbone.") ? a.values.map { $0 + 1 } : a.values), "\(a.name)")
    }
  }

  /// The last stage of a backbone's file is the shared head's in C4.
  @Test func theSharedHeadIsTakenFromABackbonesFile() throws {
    let store = ParameterStore()
    let shared = "roi_head.shared_head.layer4.0.conv1.weight"
    for name in ["backbone.conv1.weight", shared, "roi_head.bbox_head.fc_cls.bias"] {
      _ = store.add(name, shape: [2], isTrainable: true, initializer: .constant(0))
    }
    store.allocate(seed: 0)
    let arrays = ["conv1.weight", "layer4.0.conv1.weight", "fc.bias"].enumerated().map {
      Checkpoint.Array(name: $1, shape: [2], values: [Float($0) + 1, 0])
    }
    let load = WeightImport(path: "w.pth", checkpoint: checkpoint(arrays), classes: [], demand: .backbone)
    let lines = try load.load(into: store)
    #expect(lines == ["w.pth: unexpected key in source state_dict: backbone.fc.bias: not used"])
    #expect(store.parameters.map { $0.values[0] } == [1, 2, 0])
  }

  @Test func aFileOfSomethingElseIsRefused() throws {
    let arrays = [Checkpoint.Array(name: "transformer.weight", shape: [1], values: [1])]
    for demand in [WeightImport.Demand.fitting, .backbone] {
      let error = try #require(throws: RunError.self) { try load(arrays, demand, into: model()) }
      #expect(
        error.description.hasPrefix("w.pth: error: none of its 1 arrays has a name of the model, whose first is "))
    }
  }

  @Test func rowsKeepTogether() {
    let rows = ClassRows(classes: 3, rowsAClass: 2, others: 1)
    #expect(rows.count == 7)
    let values = (0..<7).flatMap { row in [Float(10 * row), Float(10 * row + 1)] }
    #expect(
      rows.reordered(values, [2, 0, 1]) == [40, 41, 50, 51, 0, 1, 10, 11, 20, 21, 30, 31, 60, 61])
  }
}
