import COCO
import Foundation
import Primitives
import Testing

@Suite struct DatasetFactsTests {
  private static let images = (1...3).map { #"{"id": \#($0), "file_name": "\#($0).png", "width": 200, "height": 150}"# }

  private func dataset(
    _ annotations: [String], images: [String] = images, folder: String = "", training: Bool = true,
    classes: [String]? = nil
  ) throws -> CocoDataset {
    var configuration = DatasetConfiguration()
    (configuration.imgPrefix, configuration.classes) = (folder, classes)
    let text = TestData.json(
      images: images.joined(separator: ","), annotations: annotations.joined(separator: ","))
    return try CocoDataset(TestData.file(text), configuration: configuration, training: training)
  }

  private func finding(_ kind: DatasetFinding.Kind, _ dataset: CocoDataset) -> DatasetFinding? {
    dataset.summary.findings.first { $0.kind == kind }
  }

  @Test func boxesAreCountedByClassAndSize() throws {
    let annotations = [
      TestData.annotation(1, bbox: "[1, 2, 31, 33]", #", "area": 1023"#),
      TestData.annotation(2, bbox: "[1, 2, 40, 40]", #", "area": 1024"#),
      TestData.annotation(3, image: 2, bbox: "[1, 2, 96, 96]"),
      TestData.annotation(4, image: 2, bbox: "[1, 2, 90, 90]", #", "iscrowd": 1"#),
      TestData.annotation(5, image: 2, bbox: "[1, 2, 20, 20]", #", "ignore": 1"#),
    ]
    let training = try dataset(annotations)
    let cat = training.facts.classes[0]
    #expect(cat.name == "cat" && cat.categoryID == 7 && cat.boxes == training.summary.boxes)
    let numbers: [Int] = [cat.boxes, cat.small, cat.medium, cat.large, cat.crowd, cat.images]
    #expect(numbers == [3, 1, 1, 1, 1, 2])
    #expect(training.facts.classes[1].boxes == 0 && training.facts.imagesWithoutBoxes == 1)
    #expect(training.facts.firstIDsWithoutBoxes == [3])
    #expect(training.summary.description.contains("(dropped: 1 marked 'ignore')"))
    // What COCO's metrics count is not dropped.
    let test = try dataset(annotations, training: false)
    #expect(test.facts.classes[0].boxes == 4 && test.facts.classes[0].small == 2)
    #expect(
      test.summary.description
        == "3 of 3 images, 4 boxes; 1 marked 'ignore' (they count in COCO's metrics), 1 crowd regions")
  }

  @Test func anIDOfZeroMattersToMetricsAlone() throws {
    let annotations = (0..<3).map { TestData.annotation($0, bbox: "[\(20 * $0), 2, 9, 9]") }
    #expect(finding(.annotationIDZero, try dataset(annotations)) == nil)
    let test = try #require(finding(.annotationIDZero, dataset(annotations, training: false)))
    #expect(test.level == .warning && test.ids == [0] && test.text.hasPrefix("annotation 0 can never count as found"))
    // Where nothing is to be found nothing is lost.
    let crowd = [TestData.annotation(0, bbox: "[1, 2, 9, 9]", #", "iscrowd": 1"#)] + annotations.dropFirst()
    #expect(finding(.annotationIDZero, try dataset(crowd, training: false)) == nil)
  }

  @Test func anAreaBeyondTheBoxIsAWarning() throws {
    func area(_ values: [String]) throws -> DatasetFinding? {
      let annotations = values.enumerated().map {
        TestData.annotation($0 + 1, bbox: "[\(11 * $0), 2, 10, 10]", #", "area": \#($1)"#)
      }
      return finding(.areaBeyondBox, try dataset(annotations))
    }
    // A mask's, the box's, and both edges counted.
    #expect(try area(["3", "100", "121"]) == nil)
    let pictures = try #require(try area(["30000", "30000", "30000", "30000"]))
    #expect(pictures.count == 4 && pictures.ids == [1, 2, 3])
    #expect(
      pictures.text.hasPrefix("4 of 4 annotations have an 'area' beyond their box (it is the picture's): 1, 2, 3, …;"))
    #expect(try area(["100", "150"])?.text.hasPrefix("1 of 2 annotations have an 'area' beyond their box: 2;") == true)
  }

  @Test(arguments: [4, 40]) func repeatedBoxesAreNamed(_ count: Int) throws {
    var annotations = (1...count).map { TestData.annotation($0, bbox: "[\($0), 2, 9, 9]") }
    #expect(finding(.repeatedBoxes, try dataset(annotations)) == nil)
    annotations += [
      TestData.annotation(91, bbox: "[2, 2, 9, 9]"), TestData.annotation(92, image: 2, bbox: "[2, 2, 9, 9]"),
      TestData.annotation(93, category: 3, bbox: "[2, 2, 9, 9]"), TestData.annotation(94, bbox: "[2, 2, 9, 9]"),
    ]
    let repeated = try #require(finding(.repeatedBoxes, dataset(annotations)))
    #expect(repeated.count == 2 && repeated.ids == [91, 94])
  }

  @Test func picturesListedTwiceAreNamedWithBothIDs() throws {
    let images = Self.images + [#"{"id": 9, "file_name": "2.png", "width": 200, "height": 150}"#]
    let dataset = try dataset([TestData.annotation(1, bbox: "[1, 2, 9, 9]")], images: images)
    let found = try #require(finding(.repeatedPictures, dataset))
    #expect(found.ids == [9] && found.text.hasSuffix(#""2.png" as images 2 and 9"#))
  }

  @Test func classesWithoutBoxesAreNamed() throws {
    let annotations = [TestData.annotation(1, bbox: "[1, 2, 9, 9]")]
    let training = try #require(finding(.classesWithoutBoxes, dataset(annotations)))
    #expect(training.level == .warning)
    #expect(training.text == "1 of 2 classes have no box, 'dog': nothing is learnt of them")
    #expect(finding(.classesWithoutBoxes, try dataset(annotations, training: false))?.level == .notice)
    #expect(finding(.classesWithoutBoxes, try dataset(annotations, classes: ["cat"])) == nil)
  }

  @Test func picturesInBothSetsAreFoundByTheirFiles() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("shared-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: "\(root)/images/a", withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: "\(root)/other", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: "\(root)/link", withDestinationPath: "images")
    defer { try? FileManager.default.removeItem(atPath: root) }
    func named(_ names: [String], _ folder: String, training: Bool = false) throws -> CocoDataset {
      let images = names.enumerated().map {
        #"{"id": \#($0 + 10), "file_name": "\#($1)", "width": 200, "height": 150}"#
      }
      let boxes = names.indices.map { TestData.annotation($0 + 1, image: $0 + 10, bbox: "[1, 2, 9, 9]") }
      return try dataset(boxes, images: images, folder: "\(root)/\(folder)", training: training)
    }
    let train = try named((0..<5).map { "a/\($0).png" }, "images", training: true)
    func shared(_ names: [String], _ folder: String) throws -> DatasetFinding? {
      train.picturesShared(with: try named(names, folder), names: ("train", "val"))
    }
    #expect(try shared(["a/7.png", "b/0.png"], "images") == nil)
    #expect(try shared(["a/0.png"], "other") == nil)
    let found = try #require(try shared(["7.png", "1.png", "./2.png", "x/../3.png", "4.png"], "link/a/"))
    #expect(found.count == 4 && found.ids == [11, 12, 13])
    #expect(found.text.hasPrefix("4 pictures are in train and in val: 1.png, ./2.png, x/../3.png, …; "))
  }

  @Test func lowBitsOfDeepPicturesAreANotice() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("deep-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    func notice(_ highest: [Int]) throws -> DatasetFinding? {
      let dataset = try TestData.dataset(
        sizes: highest.map { _ in ImageSize(height: 5, width: 40) }, folder: root, name: { "\($0).png" })
      for (index, value) in highest.enumerated() {
        let picture = DeepPicture.png(width: 40, height: 5) { x, y in x == 33 && y == 3 ? value : x }
        try picture.write(to: URL(fileURLWithPath: "\(root)/\(index).png"))
      }
      let report = dataset.lookUp(0..<highest.count, .headers)
      #expect(dataset.error(of: report) == nil)
      return dataset.findings(of: report).first
    }
    #expect(try notice([65535, 16384]) == nil)
    let found = try #require(try notice([40000, 4095, 2224]))
    #expect(found.kind == .lowBits && found.level == .notice && found.count == 2 && found.ids == [15])
    #expect(
      found.text.hasPrefix("2 of 3 pictures of 16 bits that were read use their low bits alone, the first is image 15"))
    #expect(found.text.contains("the highest value is 4095 of 65535, and training sees 16 of 255"))
    let many = try notice([Int](repeating: 255, count: 25))
    #expect(many?.text.hasPrefix("20 of 20 pictures of 16 bits that were read (of 25 in all)") == true)
  }
}
