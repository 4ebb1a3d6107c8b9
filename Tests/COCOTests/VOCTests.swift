import COCO
import Foundation
import Primitives
import TestSupport
import Testing

/// Pascal VOC's folders and its metric, beside what mmdetection 2.11 made of them.
@Suite struct VOCTests {
  /// A folder of one year, with the given files of annotations.
  private struct Folder {
    let root: String
    private let tree: FileTree

    init(year: Int = 2007, list: [String], _ annotations: [String: String]) throws {
      let name = "VOC\(year)"
      tree = try FileTree(
        ["\(name)/ImageSets/Main/list.txt"] + annotations.keys.map { "\(name)/Annotations/\($0).xml" })
      root = "\(tree.root)/\(name)/"
      let names = list.joined(separator: "\n") + "\n"
      try Data(names.utf8).write(to: URL(fileURLWithPath: "\(root)ImageSets/Main/list.txt"))
      for (id, text) in annotations {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(root)Annotations/\(id).xml"))
      }
    }

    func configuration(classes: [String], minSize: Int? = nil) -> DatasetConfiguration {
      var configuration = DatasetConfiguration()
      configuration.sources = [
        AnnotationSource(
          path: "\(root)ImageSets/Main/list.txt", imgPrefix: root, format: .voc(classes: classes, minSize: minSize))
      ]
      configuration.classes = classes
      return configuration
    }
  }

  private static func cases(_ kind: String) throws -> [GoldenCase] {
    let cases = try GoldenCase.all("data2").filter { $0.string("kind") == kind }
    try #require(!cases.isEmpty)
    return cases
  }

  private static func strings(_ attribute: String, _ golden: GoldenCase) throws -> [String] {
    try JSONDecoder().decode([String].self, from: Data(#require(golden.string(attribute)).utf8))
  }

  private static func folder(_ golden: GoldenCase, year: Int = 2007) throws -> Folder {
    let ids = try strings("ids", golden)
    let texts = try ids.map { id in (id, try #require(golden.string("xml_\(id)"))) }
    return try Folder(year: year, list: ids, Dictionary(uniqueKeysWithValues: texts))
  }

  private static func rows(_ golden: GoldenCase, _ name: String) throws -> [Box] {
    let values = try golden.floats(name)
    return stride(from: 0, to: values.count, by: 4).map {
      Box(values[$0], values[$0 + 1], values[$0 + 2], values[$0 + 3])
    }
  }

  // MARK: Annotations

  @Test func annotationsAreReadAsMMDetectionReadsThem() throws {
    for golden in try Self.cases("XMLDataset") {
      let text = try #require(golden.string("options"))
      let options = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      let folder = try Self.folder(golden)
      defer { withExtendedLifetime(folder) {} }
      let minSize = (options?["min_size"] as? NSNumber)?.intValue
      var configuration = folder.configuration(classes: try Self.strings("classes", golden), minSize: minSize)
      configuration.filterEmptyGt = options?["filter_empty_gt"] as? Bool ?? true
      let isTest = options?["test_mode"] as? Bool ?? false
      let dataset = try CocoDataset(
        configuration.readAnnotations(), configuration: configuration, training: !isTest)
      let kept = try Self.strings("kept_ids", golden)
      #expect(dataset.images.indices.map { dataset.images.identifier(at: $0) } == kept.map { .text($0) }, "\(golden)")
      #expect(dataset.images.map(\.fileName) == (try Self.strings("filenames", golden)), "\(golden)")
      for (place, image) in dataset.images.enumerated() {
        let boxes = try Self.rows(golden, "expected/img\(place)_bboxes")
        #expect(image.boxes == boxes, "\(golden), \(kept[place])")
        #expect(image.labels == (try golden.integers("expected/img\(place)_labels")), "\(golden), \(kept[place])")
        let ignored = try Self.rows(golden, "expected/img\(place)_bboxes_ignore")
        #expect(image.ignored == ignored, "\(golden), \(kept[place])")
        if golden.has("expected/flag") {
          #expect(image.aspectGroup == (try golden.integers("expected/flag"))[place], "\(golden), \(kept[place])")
        }
      }
    }
  }

  @Test(arguments: [
    ("<annotation><object></annotation>", "list.xml:1: error: is no XML file of annotations: </annotation> closes"),
    ("<annotation>\n<object>", "list.xml:2: error: is no XML file of annotations: the file ends inside <object>"),
    ("<!DOCTYPE a [<!ENTITY b \"bb\">]><annotation/>", "a document type is declared"),
    ("<annotation>&lol;</annotation>", "'&lol;' is an unknown reference"),
    ("", "there is no XML element"), ("not XML", "text stands outside"),
    (String(repeating: "<a>", count: 100), "nested too deep"), ("<annotation><a b='", "a quote is not closed"),
    ("<annotation><!-- ", "'-->' is missing"), ("<annotation/><annotation/>", "a second element"),
    (VOCTests.object("<name>a</name>"), "object 1 has no 'bndbox'"), (VOCTests.object(""), "object 1 has no 'name'"),
    (VOCTests.object("<name>a</name><bndbox><xmin>1</xmin></bndbox>"), "object 1 has no 'ymin'"),
    (
      VOCTests.object("<name>a</name><bndbox><xmin>nan</xmin></bndbox>"), "object 1: 'xmin' is 'nan', expected a number"
    ),
    (
      "<annotation><size><width>100000000</width><height>100000000</height></size></annotation>",
      "its size is 100000000 x 100000000"
    ),
  ])
  func hostileFilesAreRefused(_ text: String, _ words: String) throws {
    let folder = try Folder(list: ["list"], ["list": text])
    defer { withExtendedLifetime(folder) {} }
    let error = try #require(throws: COCOError.self) { try folder.configuration(classes: ["a"]).readAnnotations() }
    #expect(error.description.contains(words), "\(error)")
  }

  private static func object(_ text: String) -> String {
    "<annotation><size><width>9</width><height>9</height></size><object>\(text)</object></annotation>"
  }

  @Test func whatOtherProgramsWriteIsRead() throws {
    let text = """
      \u{feff}<?xml version="1.0" encoding="UTF-8"?>
      <!-- made by <hand> -->
      <annotation verified='yes > no'>
        <size><width> 64 </width><height>48</height></size>
        <object><name>a&amp;<![CDATA[<b>]]>&#x41;</name><pose/>
          <bndbox><ymin>2</ymin><xmin>1.9</xmin><ymax>12.5</ymax><xmax>31</xmax></bndbox></object>
      </annotation>
      """
    let folder = try Folder(list: ["one", "", "  two  "], ["one": text, "two": text])
    defer { withExtendedLifetime(folder) {} }
    let configuration = folder.configuration(classes: ["a&<b>A"])
    let dataset = try CocoDataset(configuration.readAnnotations(), configuration: configuration, training: true)
    #expect(dataset.images.count == 2 && dataset.images[0].boxes == [Box(0, 1, 30, 11)])
  }

  @Test(arguments: [
    ("../x", "leaves the image folder"), ("a 1", "is more than a name"), ("none", "none.xml"),
  ])
  func namesInTheListAreChecked(_ name: String, _ words: String) throws {
    let folder = try Folder(list: [name], [:])
    defer { withExtendedLifetime(folder) {} }
    let error = try #require(throws: COCOError.self) { try folder.configuration(classes: ["a"]).readAnnotations() }
    #expect(error.description.contains(words), "\(error)")
  }

  // MARK: The metric

  private struct Detections {
    var objects: [EvaluationGroundTruth] = []
    var found: [EvaluationDetection] = []

    mutating func add(_ golden: GoldenCase, image: Int, classes: Int) throws {
      for label in 0..<classes {
        let rows = try golden.floats("inputs/img\(image)_dets_\(label)")
        for start in stride(from: 0, to: rows.count, by: 5) {
          let box = Box(rows[start], rows[start + 1], rows[start + 2], rows[start + 3])
          found.append(
            EvaluationDetection(
              imageID: Int64(image), label: label, box: EvaluationBox(box), score: Double(rows[start + 4])))
        }
      }
    }

    mutating func add(_ boxes: [Box], _ labels: [Int], image: Int, isIgnored: Bool) {
      for (box, label) in zip(boxes, labels) {
        let own = EvaluationBox(box)
        objects.append(
          EvaluationGroundTruth(
            annotationID: Int64(objects.count + 1), imageID: Int64(image), label: label, box: own, area: own.area,
            isCrowd: isIgnored))
      }
    }
  }

  @Test func averagePrecisionsAreThoseOfEvalMap() throws {
    for golden in try Self.cases("eval_map") {
      let (images, classes) = (try #require(golden.integer("num_imgs")), try #require(golden.integer("num_classes")))
      var all = Detections()
      for image in 0..<images {
        try all.add(golden, image: image, classes: classes)
        for (suffix, isIgnored) in [("", false), ("_ignore", true)] {
          all.add(
            try Self.rows(golden, "inputs/img\(image)_gt_bboxes\(suffix)"),
            try golden.integers("inputs/img\(image)_gt_labels\(suffix)"), image: image, isIgnored: isIgnored)
        }
      }
      var parameters = VOCParameters()
      parameters.overlaps = [try #require(golden.number("iou_thr"))]
      parameters.usesElevenPoints = golden.string("mode") == "11points"
      let result = VOCEvaluator(
        imageIDs: (0..<Int64(images)).map { $0 }, labelCount: classes, groundTruths: all.objects, parameters: parameters
      ).evaluate(all.found)
      let labels = result.classes[0]
      expectClose(
        labels.map(\.averagePrecision), try golden.doubles("expected/ap").map { Float($0) }, absolute: 1e-6, "\(golden)"
      )
      expectClose(
        [Float(result.means[0])], [Float(try golden.doubles("expected/mean_ap")[0])], absolute: 1e-6, "\(golden)")
      #expect(labels.map(\.objects) == (try golden.integers("expected/num_gts")), "\(golden)")
      #expect(labels.map(\.detections) == (try golden.integers("expected/num_dets")), "\(golden)")
      for (label, one) in labels.enumerated() {
        let recall = try golden.doubles("expected/recall_\(label)").last ?? 0
        expectClose([Float(one.recall)], [Float(recall)], absolute: 1e-6, "\(golden), class \(label)")
      }
    }
  }

  @Test func aDataSetIsMeasuredAsByMMDetection() throws {
    for golden in try Self.cases("VOCDataset.evaluate") {
      let (year, classes) = (try #require(golden.integer("year")), try Self.strings("classes", golden))
      let folder = try Self.folder(golden, year: year)
      defer { withExtendedLifetime(folder) {} }
      let configuration = folder.configuration(classes: classes)
      let file = try configuration.readAnnotations()
      let dataset = try CocoDataset(file, configuration: configuration, training: false)
      var all = Detections()
      for (place, image) in dataset.images.enumerated() {
        try all.add(golden, image: place, classes: classes.count)
        all.add(image.boxes, image.labels, image: place, isIgnored: false)
        let ignored = file.annotations.filter { $0.imageID == image.id && $0.isCrowd }
          .filter { annotation in dataset.categoryIDs.contains(annotation.categoryID) }
        for annotation in ignored {
          let label = try #require(dataset.categoryIDs.firstIndex(of: annotation.categoryID))
          let (x, y) = (Float(annotation.x), Float(annotation.y))
          let box = Box(x, y, x + Float(annotation.width), y + Float(annotation.height))
          all.add([box], [label], image: place, isIgnored: true)
        }
      }
      var parameters = VOCParameters()
      parameters.overlaps = [0.5, 0.75]
      parameters.usesElevenPoints = year == 2007
      let result = VOCEvaluator(
        imageIDs: dataset.images.indices.map { Int64($0) }, labelCount: classes.count, groundTruths: all.objects,
        parameters: parameters
      ).evaluate(all.found)
      #expect(result.metrics.map(\.name) == ["AP50", "AP75", "mAP"])
      for (name, value) in result.metrics {
        expectClose(
          [Float(value)], [Float(try golden.doubles("expected/\(name)")[0])], absolute: 1e-6, "\(golden) \(name)")
      }
    }
  }
}
