import COCO
import Foundation
import Testing

/// Forms of numbers and ids that tools write and other readers take.
@Suite struct FieldFormsTests {
  private func image(_ id: String, _ name: String) -> String {
    #"{"id": \#(id), "file_name": "\#(name)", "width": 64, "height": 48}"#
  }

  private func annotation(_ id: String, image: String, category: Int = 7, _ more: String = "") -> String {
    #"{"id": \#(id), "image_id": \#(image), "category_id": \#(category), "bbox": [1, 2, 30, 40]\#(more)}"#
  }

  private func file(_ images: [String], _ annotations: [String]) throws -> AnnotationFile {
    try TestData.file(
      TestData.json(images: images.joined(separator: ","), annotations: annotations.joined(separator: ",")))
  }

  private func dataset(
    _ text: String, classes: [String]? = nil, training: Bool = true
  ) throws -> CocoDataset {
    var configuration = DatasetConfiguration()
    configuration.classes = classes
    return try CocoDataset(TestData.file(text), configuration: configuration, training: training)
  }

  private func message(_ read: () throws -> Any) -> String? {
    (#expect(throws: COCOError.self) { _ = try read() })?.message
  }

  // MARK: Text ids

  /// The numbers of text ids are their places by bytes, whatever the order in the file, so that draws and sums don't change
  /// with it. A composed and a decomposed é are two texts.
  @Test func textIDsAreRankedByBytes() throws {
    let names = ["b", "a", "Z", "\u{e9}", "e\u{301}", "10"]
    let ranks: [Int64] = [4, 3, 2, 6, 5, 1]
    for order in [Array(names.indices), names.indices.reversed()] {
      let file = try file(
        order.map { image("\"\(names[$0])\"", "\($0).jpg") },
        order.map { annotation("\"x\($0)\"", image: "\"\(names[$0])\"") })
      #expect(file.images.map(\.id) == order.map { ranks[$0] })
      #expect(file.annotations.map(\.imageID) == order.map { ranks[$0] })
      for index in names.indices {
        let bytes = Array("\"\(names[index])\"".utf8)
        #expect(Array(file.imageIdentifier(ranks[index]).description.utf8) == bytes)
      }
      #expect(file.annotationIdentifier(file.annotations[1].id) == .text("x\(order[1])"))
      #expect(file.findings.isEmpty)
    }
  }

  @Test func annotationsMayComeFirst() throws {
    let text =
      #"{"annotations": [\#(annotation(#""u""#, image: #""p2""#))], "#
      + #""images": [\#(image(#""p1""#, "1.jpg")), \#(image(#""p2""#, "2.jpg"))], "categories": [{"id": 7, "name": "cat"}]}"#
    let file = try TestData.file(text)
    #expect(file.images.map(\.id) == [1, 2] && file.annotations[0].imageID == 2)
  }

  @Test func textIDsTakePartInTheDigest() throws {
    func content(_ name: String) throws -> String {
      try CocoDataset(
        file([image("\"\(name)\"", "1.jpg")], [annotation("1", image: "\"\(name)\"")]),
        configuration: DatasetConfiguration(), training: true
      ).contentSummary
    }
    #expect(try content("p") != content("q") && content("p") == content("p"))
  }

  @Test func messagesNameTextIDs() throws {
    #expect(
      message { try file([image(#""p""#, "1.jpg"), image(#""p""#, "2.jpg")], []) }
        == #"two images have the id "p": "1.jpg" and "2.jpg""#)
    #expect(
      message { try file([image(#""p""#, "1.jpg")], [annotation(#""u""#, image: #""q""#)]) }
        == #"annotation "u" names image "q", which is not in 'images' (1 images)"#)
    #expect(
      message { try file([image(#""p""#, "1.jpg")], [annotation(#""u""#, image: #""p""#, #", "area": "1""#)]) }
        == #"annotation "u": its 'area' is the string "1"; a finite number is expected"#)
  }

  @Test func formsOfIDsAreNotMixed() throws {
    let (number, text) = (image("1", "1.jpg"), image(#""1""#, "2.jpg"))
    #expect(
      message { try file([number, text], []) }
        == #"image "1": its 'id' is the string "1"; a whole number of at most 64 bits is expected, as in those before it"#
    )
    #expect(
      message { try file([text, number], []) } == "image 1: its 'id' is 1; a text is expected, as in those before it")
    #expect(
      message { try file([number], [annotation("9", image: #""1""#)]) }
        == #"annotation 9: its 'image_id' is the string "1"; a whole number of at most 64 bits is expected, as in 'images'"#
    )
    #expect(
      message { try file([text], [annotation("9", image: "1")]) }
        == "annotation 9: its 'image_id' is 1; a text is expected, as in 'images'")
    // Those of images and of annotations are two kinds.
    #expect(try file([text], [annotation("9", image: #""1""#)]).annotations.map(\.id) == [9])
  }

  @Test func resultsHoldTheTexts() throws {
    let path = FileManager.default.temporaryDirectory.path + "/results-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = try file([image(#""a\"b""#, "1.jpg")], [])
    let detection = EvaluationDetection(
      imageID: 1, label: 0, box: EvaluationBox(x: 1, y: 2, width: 3, height: 4), score: 0.5)
    try ResultsFile.write([detection], categoryIDs: [7], identifier: file.imageIdentifier, to: path)
    #expect(
      try String(contentsOfFile: path, encoding: .utf8)
        == "[\n" + #"{"image_id":"a\"b","category_id":7,"bbox":[1.0,2.0,3.0,4.0],"score":0.5}"# + "\n]\n")
  }

  // MARK: Numbers

  @Test(arguments: [
    ("null", false), ("0", false), ("0.0", false), ("-0.0", false), ("false", false), ("1", true), ("1.0", true),
    ("true", true),
  ])
  func flags(_ value: String, _ isSet: Bool) throws {
    let file = try file(
      [image("1", "1.jpg")], [annotation("1", image: "1", #", "iscrowd": \#(value), "ignore": \#(value)"#)])
    #expect(file.annotations[0].isCrowd == isSet && file.annotations[0].isIgnored == isSet)
  }

  @Test func notANumberInKeysThatNobodyReads() throws {
    let image =
      #"{"id": 1.0, "file_name": "1.jpg", "width": 64, "height": 48, "license": NaN, "date_captured": -Infinity}"#
    let more = #", "score": NaN, "attributes": {"depth": [1, Infinity], "name": "NaN"}, "segmentation": [[1, NaN]]"#
    let file = try file([image], [annotation("1.0", image: "1.0", more), annotation("2.0", image: "1.0", more)])
    #expect(
      file.findings.map(\.text) == [
        "NaN or Infinity, which JSON does not have, stands in 'date_captured' (1 times), 'depth' (2 times), 'license' "
          + "(1 times), 'score' (2 times), 'segmentation' (2 times); nothing of it is used"
      ])
  }

  @Test(arguments: [
    (#", "area": NaN"#, "its 'area' is NaN; a finite number is expected"),
    (#", "iscrowd": NaN"#, "its 'iscrowd' is NaN; 0 or 1 is expected"),
    (#", "ignore": Infinity"#, "its 'ignore' is a number beyond the range of a double; 0 or 1 is expected"),
  ])
  func notANumberInKeysThatAreRead(_ more: String, _ expected: String) {
    let text = message { try file([image("1", "1.jpg")], [annotation("1", image: "1", more)]) }
    #expect(text == "annotation 1: \(expected)")
  }

  @Test func notANumberInABox() {
    let box = TestData.annotation(1, bbox: "[1, NaN, 3, 4]")
    #expect(
      message { try TestData.file(TestData.json(annotations: box)) }
        == "annotation 1: its 'bbox' holds NaN; numbers of pixels are expected")
  }

  // MARK: Categories

  private func projectAndClass(_ boxesOf: [Int]) -> String {
    TestData.json(
      annotations: boxesOf.enumerated().map { annotation("\($0 + 1)", image: "1", category: $1) }.joined(
        separator: ","),
      categories: #"{"id": 0, "name": "cat"}, {"id": 4, "name": "dog"}, {"id": 1, "name": "cat"}"#)
  }

  @Test(arguments: [nil, ["dog", "cat"]] as [[String]?])
  func ofTwoCategoriesWithOneNameTheOneWithBoxesIsMeant(_ classes: [String]?) throws {
    let dataset = try dataset(projectAndClass([1, 4, 1]), classes: classes)
    #expect(dataset.classes == classes ?? ["cat", "dog"])
    #expect(dataset.categoryIDs == (classes == nil ? [1, 4] : [4, 1]))
    #expect(dataset.summary.boxes == 3)
    #expect(
      dataset.summary.findings.filter { $0.kind == .repeatedClassNames }.map(\.text) == [
        "a.json: the categories 0 and 1 have the same name, 'cat': 1, the one with boxes, is meant"
      ])
  }

  @Test(arguments: [nil, ["cat"]] as [[String]?])
  func twoCategoriesWithOneNameAndBoxesAreAnError(_ classes: [String]?) {
    #expect(
      message { try dataset(projectAndClass([1, 4, 0, 1]), classes: classes) }
        == "the categories 0 and 1 have the same name, 'cat', and several of them have boxes (1 and 2): give them "
        + "different names, or make them one category")
  }

  @Test func aNameThatNobodyAsksForMayBeUsedTwice() throws {
    #expect(try dataset(projectAndClass([1, 4, 0]), classes: ["dog"]).summary.findings.isEmpty)
    let message = message { try dataset(projectAndClass([1]), classes: ["cat", "cat"]) }
    #expect(message == "the class 'cat' stands twice in 'classes'")
  }

  // MARK: What may be left out

  @Test func aTestSetNeedsNoAnnotations() throws {
    let text = #"{"images": [\#(image("1", "1.jpg"))], "categories": [{"id": 7, "name": "cat"}]}"#
    let test = try dataset(text, training: false)
    #expect(test.images.count == 1 && !test.hasGroundTruth && !test.hasAnnotations && test.summary.findings.isEmpty)
    #expect(
      message { try dataset(text) } == "is not a COCO annotation file for detection: it has no 'annotations'")
    let empty = try dataset(TestData.json(), training: false)
    #expect(!empty.hasGroundTruth && empty.hasAnnotations)
  }

  /// Camera traps say of pictures that they are empty.
  @Test func annotationsOfOtherClassesNeedNoBox() throws {
    let label = #"{"id": 2, "image_id": 1, "category_id": 3}"#
    let text = TestData.json(annotations: "\(annotation("1", image: "1")), \(label)")
    let cats = try dataset(text, classes: ["cat"])
    #expect(cats.summary.boxes == 1 && cats.summary.boxesOfOtherClasses == 1)
    #expect(
      message { try dataset(text) }
        == "annotation 2: it has no 'bbox' (1 of 2 annotations have none and are of a class that takes part); "
        + "leave out what only labels a picture")
  }
}
