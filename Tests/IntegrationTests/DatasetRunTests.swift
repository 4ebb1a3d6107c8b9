import COCO
import Foundation
import TestSupport
import Testing
import Training

extension ProgramTests {
  @Suite("Other data sets") struct Datasets {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    private static let options = ["checkpoint_config.interval=3", "checkpoint_config.by_epoch=false"]

    /// Writes the shapes of a split as Pascal VOC lays a year out; every fifth object is difficult.
    private func writeVOC(_ year: Int, of split: String, list: String) throws {
      let root = "VOCdevkit/VOC\(year)"
      for folder in ["Annotations", "JPEGImages", "ImageSets/Main"] {
        try FileManager.default.createDirectory(
          atPath: run.folder.path("\(root)/\(folder)"), withIntermediateDirectories: true)
      }
      let file = try AnnotationFile(reading: run.folder.path("data/annotations/instances_\(split).json"))
      let names = Dictionary(uniqueKeysWithValues: file.categories.map { ($0.id, $0.name) })
      var ids: [String] = []
      for image in file.images {
        let id = "\(year)_\(split)_\(image.id)"
        ids.append(id)
        let objects = file.annotations.filter { $0.imageID == image.id }.map { object in
          let corners = [
            ("xmin", object.x), ("ymin", object.y), ("xmax", object.x + object.width),
            ("ymax", object.y + object.height),
          ]
          let box = corners.map { "<\($0.0)>\(Int($0.1) + 1)</\($0.0)>" }.joined()
          return
            "<object><name>\(names[object.categoryID] ?? "")</name><difficult>\(object.id % 5 == 0 ? 1 : 0)</difficult>"
            + "<bndbox>\(box)</bndbox></object>"
        }
        let size = "<size><width>\(image.width)</width><height>\(image.height)</height><depth>3</depth></size>"
        try run.folder.write(
          "<annotation>\(size)\(objects.joined())</annotation>", to: "\(root)/Annotations/\(id).xml")
        try FileManager.default.copyItem(
          atPath: run.folder.path("data/\(split)/\(image.fileName)"),
          toPath: run.folder.path("\(root)/JPEGImages/\(id).jpg"))
      }
      try run.folder.write(ids.joined(separator: "\n"), to: "\(root)/ImageSets/Main/\(list).txt")
    }

    private static func source(_ part: String, _ years: [Int], _ list: String) -> [String] {
      let files = years.map { "VOCdevkit/VOC\($0)/ImageSets/Main/\(list).txt" }
      let folders = years.map { "VOCdevkit/VOC\($0)/" }
      func value(_ values: [String]) -> String { values.count == 1 ? values[0] : "[\(values.joined(separator: ","))]" }
      return [
        "data.\(part).type=VOCDataset", "data.\(part).ann_file=\(value(files))",
        "data.\(part).img_prefix=\(value(folders))",
      ]
    }

    @Test("Pascal VOC's folders are trained on, measured and resumed")
    func voc() throws {
      try writeVOC(2007, of: "train", list: "trainval")
      try writeVOC(2012, of: "val", list: "trainval")
      try writeVOC(2007, of: "val", list: "test")
      let options =
        Self.source("train", [2007, 2012], "trainval") + Self.source("val", [2007], "test")
        + Self.source("test", [2007], "test") + Self.options
        + ["evaluation={interval: 3, by_epoch: false, metric: mAP, save_best: mAP}"]
      let straight = try run.train("straight", ranks: 2, batch: 4, iterations: 6, options: options)
      #expect(
        straight.validations.count == 2 && straight.validations.allSatisfy { $0["AP50"] != nil && $0["mAP"] != nil })
      #expect(
        straight.text.contains("VOC2007/ImageSets/Main/trainval.txt") || straight.text.contains("28 of 28 images"))
      let log = try run.train(
        "other", ranks: 2, batch: 4, iterations: 6, options: options, arguments: ["--resume", "straight/iter_3.h5"])
      log.expectSameLosses(as: straight.steps[3...], tolerance: 0, "resumed")
      let outcome = try run.program.succeed(
        ["test", "tiny.yaml", "straight/iter_6.h5", "--metrics", "m.json", "--cfg-options"] + options, ranks: 1)
      #expect(outcome.output.contains("Average precision (11 points) at IoU 0.50: mAP = "), "\(outcome)")
      let metrics = try JSONSerialization.jsonObject(with: Data(run.folder.read("m.json"))) as? [String: Any]
      let last = try #require(straight.validations.last)
      #expect((metrics?["mAP"] as? Double).map { abs($0 - (last["mAP"] ?? -1)) < 1e-6 } ?? false, "\(metrics ?? [:])")
      let check = try run.program.succeed(["check", "tiny.yaml", "--cfg-options"] + options)
      #expect(check.output.contains("28 of 28 images"), "\(check)")
      try run.program.succeed(["report", "straight", "--out", "voc.html"])
      let page = PageContent(String(decoding: try run.folder.read("voc.html"), as: UTF8.self))
      #expect(page.faults.isEmpty && page.lines.contains("By Pascal VOC's rule"), "\(page.faults)")
      let name = "Average precision (11 points) at IoU 0.50: mAP"
      let row = try #require(page.lines.firstIndex(of: name))
      #expect(outcome.output.contains("\(name) = \(page.lines[row + 1])\n"), "\(outcome)")
    }

    @Test("Repeated and balanced data sets are trained on alike on any number of ranks")
    func repeated() throws {
      let text = try String(contentsOfFile: run.folder.path("tiny.yaml"), encoding: .utf8)
      let start = try #require(text.range(of: "  train:\n    type: CocoDataset"))
      let end = try #require(text.range(of: "  val: &val"))
      let inner = text[start.upperBound..<end.lowerBound].split(separator: "\n").map { "    \($0)" }
      let wrapped = """
          train:
            type: RepeatDataset
            times: 2
            dataset:
              type: ClassBalancedDataset
              oversample_thr: 0.9
              dataset:
                type: CocoDataset

        """
      let changed = text[..<start.lowerBound] + wrapped + inner.joined(separator: "\n") + "\n" + text[end.lowerBound...]
      try run.folder.write(String(changed), to: "tiny.yaml")
      let options = Self.options + ["mpi.reduction=exact"]
      let one = try run.train("one", ranks: 1, batch: 4, iterations: 6, options: options)
      let two = try run.train("two", ranks: 2, batch: 4, iterations: 6, options: options)
      two.expectSameLosses(as: one.steps[0...], tolerance: 0, "2 ranks")
      #expect(try run.checkpoint("one/iter_6.h5").model == run.checkpoint("two/iter_6.h5").model)
      #expect(one.text.contains("22 of 22 images, which come "), "\(one.text)")
      #expect(try #require(run.checkpoint("one/iter_6.h5").progress["images"]) > 44)
    }
  }
}
