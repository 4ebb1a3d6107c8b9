import COCO
import Testing

@Suite struct DatasetFindingsTests {
  private func dataset(
    _ boxes: [String], _ more: String = "", classes: [String]? = nil, filterEmptyGt: Bool = true, training: Bool = true
  ) throws -> CocoDataset {
    let annotations = boxes.enumerated().map { TestData.annotation($0 + 1, bbox: $1, more) }
    var configuration = DatasetConfiguration()
    (configuration.classes, configuration.filterEmptyGt) = (classes, filterEmptyGt)
    return try CocoDataset(
      TestData.file(TestData.json(annotations: annotations.joined(separator: ","))), configuration: configuration,
      training: training)
  }

  /// The picture is 64 × 48.
  struct Loss: CustomTestStringConvertible, Sendable {
    var box = "[5, 5, 20, 20]"
    var more = ""
    var classes: [String]?
    let reason: String

    var testDescription: String { reason }
  }

  private static let losses = [
    Loss(more: #", "iscrowd": 1"#, reason: "did an export of masks mark single objects so?"),
    Loss(more: #", "ignore": 1"#, reason: "'ignore' takes them out of the training: was it exported by mistake?"),
    Loss(
      box: "[0.2, 0.3, 0.5, 0.4]",
      reason: "are these fractions of the picture? [x, y, width, height] in pixels is expected"),
    Loss(box: "[100, 60, 92, 84]", reason: "boxes reach 3.0 times the picture's size: were the pictures resized?"),
    Loss(classes: ["dog"], reason: "the classes to train on are 'dog', but most boxes are of 'cat'"),
  ]

  @Test(arguments: losses) func trainingOnNothingIsAnErrorWithItsReason(_ loss: Loss) throws {
    let error = #expect(throws: COCOError.self) { try dataset([loss.box, loss.box], loss.more, classes: loss.classes) }
    #expect(error?.kind == .badData && error?.message.contains("is left to train on: ") == true)
    #expect(error?.message.hasSuffix(loss.reason) == true, "\(String(describing: error))")
  }

  @Test(arguments: losses) func backgroundAloneMayBeAskedFor(_ loss: Loss) throws {
    let dataset = try dataset([loss.box, loss.box], loss.more, classes: loss.classes, filterEmptyGt: false)
    let warning = try #require(dataset.summary.findings.first { $0.kind == .noBoxes }).text
    #expect(warning.contains("there is no box to train on, and 'filter_empty_gt: false'"))
    #expect(warning.hasSuffix(loss.reason), "\(warning)")
  }

  @Test func testingWithoutBoxesIsNoError() throws {
    #expect(try dataset([], training: false).images.count == 1)
  }

  @Test func losingMostBoxesIsAWarningWithNumbers() throws {
    func warnings(_ boxes: [String], training: Bool = true) throws -> [String] {
      try dataset(boxes, training: training).summary.findings.filter { $0.kind == .lostBoxes }.map(\.text)
    }
    let (good, outside, over) = ("[5, 5, 20, 20]", "[100, 60, 92, 84]", "[30, 30, 60, 60]")
    #expect(try warnings([good, good, outside]).isEmpty)
    for training in [true, false] {
      #expect(
        try warnings([good, outside, outside], training: training) == [
          "a.json: most of 3 boxes are lost or lie wrong: 2 outside their image; "
            + "boxes reach 3.0 times the picture's size: were the pictures resized?"
        ])
    }
    #expect(try warnings([over, over, good]).count == 1)
    // Careless clicks: two pixels over the edge.
    #expect(try warnings(["[50, 5, 16, 20]", "[5, 30, 20, 20]"]).isEmpty)
  }

  @Test func whatMetricsCountIsNotLostInATestSet() throws {
    let boxes = ["[5, 5, 20, 20]", "[9, 5, 20, 20]"]
    let ignored = try dataset(boxes, #", "ignore": 1"#, training: false)
    #expect(ignored.summary.findings.map(\.kind) == [.classesWithoutBoxes])
    let crowd = try dataset(boxes, #", "iscrowd": 1"#, training: false)
    #expect(crowd.summary.findings.first?.text.contains("crowd regions ('iscrowd': 1) are nothing to find") == true)
  }
}
