import COCO
import Primitives
import TestSupport
import Testing

@Suite struct AnnotationFileTests {
  private let good = TestData.json(
    annotations: TestData.annotation(1, bbox: "[4, 5, 20.5, 1e1]", #", "segmentation": [[1, 2, [3]]], "iscrowd": 0"#))

  @Test func readsWhatIsThereAndFillsInDefaults() throws {
    let file = try TestData.file(good)
    let image = try #require(file.images.first)
    #expect((image.id, image.fileName, image.width, image.height) == (1, "a.jpg", 64, 48))
    #expect(file.categories.map(\.id) == [7, 3])
    let annotation = try #require(file.annotations.first)
    #expect([annotation.x, annotation.y, annotation.width, annotation.height] == [4, 5, 20.5, 10])
    #expect(annotation.area == 205 && !annotation.isCrowd && !annotation.isIgnored)
    #expect(file.findings.isEmpty)
  }

  @Test func readsTheCOCOFilesOfTheReferenceValues() throws {
    let file = try AnnotationFile(reading: GoldenCase.path("coco_0_ann.json"))
    let image = try #require(file.images.first)
    #expect((image.id, image.fileName, image.width, image.height) == (46, "000046.jpg", 235, 370))
    #expect(!file.annotations.isEmpty && !file.categories.isEmpty)
  }

  @Test func keepsIdsThatDoublesConfuse() throws {
    let images = [9_007_199_254_740_992, 9_007_199_254_740_993, 9_223_372_036_854_775_807].map {
      "{\"id\": \($0), \"file_name\": \"\($0).jpg\", \"width\": 8, \"height\": 8}"
    }
    let file = try TestData.file(TestData.json(images: images.joined(separator: ",")))
    #expect(file.images.map(\.id) == [9_007_199_254_740_992, 9_007_199_254_740_993, .max])
  }

  @Test func readsAByteOrderMarkAndEscapes() throws {
    let image = #"{"id": 1.0, "file_name": "sub\/\u00e4\ud83d\ude00\n.jpg", "width": 64, "height": 48}"#
    let file = try TestData.file("\u{feff}" + TestData.json(images: image))
    #expect(file.images[0].fileName == "sub/ä😀\n.jpg")
  }

  @Test(arguments: [
    (
      #"{"id": 1.5, "file_name": "a", "width": 1, "height": 1}"#,
      "images[0]: its 'id' is 1.5; a whole number of at most 64 bits is expected"
    ),
    (
      #"{"id": 18446744073709551615, "file_name": "a", "width": 1, "height": 1}"#,
      "images[0]: its 'id' is 1.8446744073709552e+19; a whole number of at most 64 bits is expected"
    ),
    (#"{"id": 4, "width": 1, "height": 1}"#, "image 4: it has no 'file_name'"),
    (#"{"id": 4, "file_name": 7, "width": 1, "height": 1}"#, "image 4: its 'file_name' is 7; a string is expected"),
    (#"{"id": 4, "file_name": "a", "width": 0, "height": 9}"#, "image 4: its size is 0 x 9; both must be positive"),
    (
      #"{"id": 4, "file_name": "a", "width": 1000000000, "height": 9}"#,
      "image 4: its size is 1000000000 x 9: more than 134217728 pixels are refused; "
        + "cut the picture into tiles, and its boxes with it"
    ),
    (
      #"{"id": 4, "file_name": "../a", "width": 1, "height": 1}"#,
      "image 4: its file_name \"../a\" leaves the image folder"
    ),
    (
      #"{"id": 4, "file_name": "b/../../a", "width": 1, "height": 1}"#,
      "image 4: its file_name \"b/../../a\" leaves the image folder"
    ),
    (
      #"{"id": 4, "file_name": "/dev/zero", "width": 1, "height": 1}"#,
      "image 4: its file_name \"/dev/zero\" is an absolute path; a path inside the image folder is expected"
    ),
    (#"{"id": 4, "file_name": "", "width": 1, "height": 1}"#, "image 4: its file_name \"\" is empty"),
    ("3", "images[0] is 3; an object is expected"),
  ])
  func refusesAnImage(_ image: String, _ message: String) {
    let error = #expect(throws: COCOError.self) { try TestData.file(TestData.json(images: image)) }
    #expect(error?.message == message)
    #expect(error?.place.hasPrefix("a.json") == true)
  }

  @Test(arguments: [
    (
      TestData.annotation(9, image: 2, bbox: "[1, 2, 3, 4]"),
      "annotation 9 names image 2, which is not in 'images' (1 images)"
    ),
    (
      TestData.annotation(9, category: 1, bbox: "[1, 2, 3, 4]"),
      "annotation 9 names category 1, which is not in 'categories' (2 categories)"
    ),
    (
      TestData.annotation(9, bbox: "[1, 2, 3]"),
      "annotation 9: its 'bbox' is an array of 3; [x, y, width, height] is expected"
    ),
    (
      TestData.annotation(9, bbox: "[1, 2, 3, \"4\"]"),
      "annotation 9: its 'bbox' holds the string \"4\"; numbers of pixels are expected"
    ),
    (
      TestData.annotation(9, bbox: "[1, 2, 3, 1e400]"),
      "annotation 9: its 'bbox' holds a number beyond the range of a double; numbers of pixels are expected"
    ),
    (
      TestData.annotation(9, bbox: "[1, 2, 1e39, 4]"),
      "annotation 9: its 'bbox' holds 1e+39; numbers of pixels are expected"
    ),
    (
      TestData.annotation(9, bbox: "[1, 2, 3, 4]", #", "iscrowd": "0""#),
      "annotation 9: its 'iscrowd' is the string \"0\"; 0 or 1 is expected"
    ),
    (
      TestData.annotation(9, bbox: "[1, 2, 3, 4]", #", "area": 1e400"#),
      "annotation 9: its 'area' is a number beyond the range of a double; a finite number is expected"
    ),
    (TestData.annotation(9, bbox: "[1, 2, 3, 4]", #", "id": 8"#), "the key 'id' stands twice in one object"),
  ])
  func refusesAnAnnotation(_ annotation: String, _ message: String) {
    let error = #expect(throws: COCOError.self) { try TestData.file(TestData.json(annotations: annotation)) }
    #expect(error?.message == message)
  }

  @Test(arguments: [
    (
      "", "a.json",
      "is an empty file, not a COCO annotation file: an object is expected at the top level (a results file is an array)"
    ),
    (
      "[]", "a.json",
      "is text, not a COCO annotation file: an object is expected at the top level (a results file is an array)"
    ),
    ("{}", "a.json", "is not a COCO annotation file for detection: it has no 'images'"),
    ("{\n \"images\": NaN}", "a.json:2:12", "expected a JSON value, found 'NaN'"),
    ("{\n \"x\": -Infinity}", "a.json:2:8", "expected a digit, found 'Infinity'"),
    ("{\"x\": 1} {", "a.json:1:10", "expected the end of the file after the JSON value, found '{'"),
    ("{\"x\": 01}", "a.json:1:8", "expected ',' or '}', found '1'"),
    ("{\"x\": [1,]}", "a.json:1:10", "expected a JSON value, found ']'"),
    ("{\"x\": tru", "a.json:1:7", "expected a JSON value, found 'tru'"),
    ("{\"x\": \"\\ud800\"}", "a.json:1:15", "the string that ends here holds half of a surrogate pair"),
    ("{\"x\": \"abc", "a.json:1:11", "expected the rest of a string, found the end of the file: is it cut short?"),
    ("{\"images\": {}}", "a.json:1:14", "'images' is an object; an array is expected"),
    ("{\"images\": [], \"images\": []}", "a.json:1:25", "the key 'images' stands twice in the file"),
  ])
  func refusesAFile(_ text: String, _ place: String, _ message: String) {
    let error = #expect(throws: COCOError.self) { try TestData.file(text) }
    #expect(error == COCOError(at: place, message))
  }

  @Test func refusesDeepNestingWithoutOverflowingTheStack() throws {
    func nested(_ depth: Int) -> String {
      "{\"x\": " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "," + good.dropFirst()
    }
    #expect(try TestData.file(nested(500)).images.count == 1)
    let error = #expect(throws: COCOError.self) { try TestData.file(nested(100_000)) }
    #expect(error?.message == "is nested deeper than 512 levels")
  }

  @Test func refusesInvalidUTF8() {
    for bytes: [UInt8] in [[0xe9], [0xc0, 0xaf], [0xe2, 0x82], [0xed, 0xa0, 0x80]] {
      let text = Array("{\"x\": \"".utf8) + bytes + Array("\"}".utf8)
      let error = #expect(throws: COCOError.self) { try AnnotationFile(path: "a.json", bytes: text) }
      #expect(error?.message == "the string that ends here is not valid UTF-8")
    }
  }

  @Test func everyCutIsAnError() {
    let bytes = Array(good.utf8)
    for count in 0..<bytes.count {
      #expect(throws: COCOError.self) { try AnnotationFile(path: "a.json", bytes: Array(bytes[..<count])) }
    }
  }

  @Test func noDamageCrashes() {
    var random = KeyedRandom(seed: 1, purpose: .test)
    for _ in 0..<20_000 {
      var bytes = Array(good.utf8)
      for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      do { _ = try AnnotationFile(path: "a.json", bytes: bytes) } catch { #expect(error is COCOError) }
    }
  }

  @Test func repeatedNamesAndIdsAreWarnings() throws {
    let box = TestData.annotation(1, bbox: "[1, 2, 3, 4]")
    let file = try TestData.file(
      TestData.json(annotations: "\(box), \(box)", categories: #"{"id": 7, "name": "cat"}, {"id": 3, "name": "cat"}"#))
    #expect(
      file.findings.map(\.text) == [
        "annotation id 1 is used more than once", "more than one category has the name 'cat'",
      ])
  }

  @Test func theFirstFewOfRepeatedIDsAreNamed() throws {
    let boxes = [1, 2, 3, 4, 4, 3, 2, 1].enumerated().map { TestData.annotation($1, bbox: "[\($0), 2, 3, 4]") }
    let finding = try #require(TestData.file(TestData.json(annotations: boxes.joined(separator: ","))).findings.first)
    #expect(finding.count == 4 && finding.ids == [4, 3, 2] && finding.kind == .repeatedAnnotationIDs)
    #expect(finding.text == "4 annotations have the id of another one before them: 4, 3, 2, …")
  }

  @Test func annotationsWithoutABoxAreCounted() {
    let label = #"{"id": 9, "image_id": 1, "category_id": 7}"#
    let box = TestData.annotation(1, bbox: "[1, 2, 3, 4]")
    func message(_ annotations: String...) -> String? {
      let text = TestData.json(annotations: annotations.joined(separator: ","))
      return #expect(throws: COCOError.self) { try TestData.file(text) }?.message
    }
    #expect(
      message(box, label, box, label)
        == "annotation 9: it has no 'bbox' (2 of 4 annotations have none); leave out what only labels a picture")
    // A mistake further down is not named before it.
    #expect(message(label, #"{"id": 3}"#) == "annotation 9: it has no 'bbox'")
  }

  @Test func aMissingFileIsMissing() {
    let error = #expect(throws: COCOError.self) { try AnnotationFile(reading: "/nowhere/a.json") }
    #expect(error == COCOError(.inputMissing, at: "/nowhere/a.json", "the file does not exist"))
  }
}
