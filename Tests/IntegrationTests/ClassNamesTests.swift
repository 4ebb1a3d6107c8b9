import Foundation
import Testing
import Training

extension ProgramTests {
  /// A checkpoint knows the names of its classes: rows follow the names, not their places.
  @Suite("Classes by name", .long) struct ClassNames {
    private static let names = ["circle", "rectangle", "triangle", "star", "ring"]
    private static let swapped = ["star", "ring", "rectangle", "circle", "triangle"]
    private static let dependent = ["fc_cls.bias", "fc_cls.weight", "fc_reg.bias", "fc_reg.weight"]

    private let run: TinyRun

    init() throws {
      run = try TinyRun()
      try run.train("trained", ranks: 1, batch: 4, iterations: 6)
    }

    private func classes(_ names: [String]) -> [String] {
      ["train", "val", "test"].map { "data.\($0).classes=[\(names.joined(separator: ","))]" }
    }

    private func test(_ options: [String], ranks: Int, to out: String) throws -> Outcome {
      try run.program.run(
        ["test", "tiny.yaml", "trained/latest.h5", "--out", out, "--cfg-options"]
          + Self.everything + options, ranks: ranks)
    }

    /// No box is dropped for another, which the last bit of a score could decide.
    private static let everything = [
      "model.test_cfg.rcnn.score_thr=0.001", "model.test_cfg.rcnn.nms.iou_threshold=1.0",
      "model.test_cfg.rcnn.max_per_img=100000",
    ]

    private func detections(_ name: String) throws -> [[String: Any]] {
      try #require(try JSONSerialization.jsonObject(with: Data(run.folder.read(name))) as? [[String: Any]])
    }

    /// Image, category and box of each detection, sorted, and its score.
    private func rows(_ name: String, renaming categories: [Int: Int] = [:]) throws -> [(key: String, score: Double)] {
      try detections(name).map { row in
        let category = try #require(row["category_id"] as? Int)
        return (
          "\(row["image_id"] ?? "") \(categories[category] ?? category) \(row["bbox"] ?? "")",
          try #require(row["score"] as? Double)
        )
      }.sorted { $0.0 < $1.0 }
    }

    /// The softmax adds the classes in another order, so that scores differ in their last bits.
    private func expectSame(
      _ a: [(key: String, score: Double)], _ b: [(key: String, score: Double)],
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      #expect(a.count > 20 && a.map(\.key) == b.map(\.key), sourceLocation: sourceLocation)
      for (a, b) in zip(a, b) { #expect(abs(a.score - b.score) < 1e-6, sourceLocation: sourceLocation) }
    }

    private func categoryIDs() throws -> [Int] {
      let file = try JSONSerialization.jsonObject(
        with: Data(run.folder.read("data/annotations/instances_val.json")))
      let categories = try #require((file as? [String: Any])?["categories"] as? [[String: Any]])
      return try categories.map { try #require($0["id"] as? Int) }
    }

    /// Changes the categories of all annotation files.
    private func editCategories(_ edit: ([[String: Any]]) -> [[String: Any]], annotations: [Int: Int] = [:]) throws {
      for part in ["train", "val"] {
        let name = "data/annotations/instances_\(part).json"
        var object = try #require(
          try JSONSerialization.jsonObject(with: Data(run.folder.read(name))) as? [String: Any])
        object["categories"] = edit(try #require(object["categories"] as? [[String: Any]]))
        object["annotations"] = try #require(object["annotations"] as? [[String: Any]]).map { annotation in
          var annotation = annotation
          if let id = annotation["category_id"] as? Int { annotation["category_id"] = annotations[id] ?? id }
          return annotation
        }
        try JSONSerialization.data(withJSONObject: object).write(
          to: URL(fileURLWithPath: run.folder.path(name)))
      }
    }

    @Test("test puts the rows into the order of the configuration", arguments: [1, 2]) func testSwapped(
      ranks: Int
    ) throws {
      let straight = try test([], ranks: ranks, to: "straight.json")
      let swapped = try test(classes(Self.swapped), ranks: ranks, to: "swapped.json")
      #expect(straight.code == 0 && swapped.code == 0, "\(swapped)")
      #expect(!straight.output.contains("in another order"))
      #expect(
        swapped.output.contains(
          "trained/latest.h5 has its classes in another order, circle, rectangle, triangle, star, ring: their rows are "
            + "put into this run's, star, ring, rectangle, circle, triangle"), "\(swapped)")
      try expectSame(rows("straight.json"), rows("swapped.json"))
    }

    @Test("A tool that writes the json anew may number and order the categories as it likes", arguments: [1, 2])
    func reexported(ranks: Int) throws {
      let none = ["train", "val", "test"].map { "data.\($0).classes=null" }
      #expect(try test(none, ranks: ranks, to: "before.json").code == 0)
      let ids = Dictionary(uniqueKeysWithValues: try categoryIDs().enumerated().map { ($1, 60 - 7 * $0) })
      try editCategories(
        { categories in
          categories.reversed().map { category in
            var category = category
            category["id"] = ids[category["id"] as? Int ?? 0]
            return category
          }
        }, annotations: ids)
      let after = try test(none, ranks: ranks, to: "after.json")
      #expect(after.code == 0, "\(after)")
      let back = Dictionary(uniqueKeysWithValues: ids.map { ($1, $0) })
      try expectSame(rows("before.json"), rows("after.json", renaming: back))

      // Training takes the file's order, so that the rows move.
      let resumed = try run.program.run(
        run.command("resumed", ranks: ranks, batch: 4, iterations: 7, options: none)
          + ["--resume", "trained/latest.h5"], ranks: ranks)
      #expect(resumed.code == 0, "\(resumed)")
      #expect(resumed.output.contains("has its classes in another order"), "\(resumed)")
    }

    @Test("--resume moves weights and momenta alike", arguments: [1, 2]) func resumeSwapped(ranks: Int) throws {
      try run.train("straight", ranks: ranks, batch: 4, iterations: 9, arguments: ["--resume", "trained/latest.h5"])
      try run.train(
        "swapped", ranks: ranks, batch: 4, iterations: 9, options: classes(Self.swapped),
        arguments: ["--resume", "trained/latest.h5"])
      let expected = try run.checkpoint("straight/latest.h5")
      var actual = try run.checkpoint("swapped/latest.h5")
      #expect(actual.classes == Self.swapped)
      actual.model = actual.model.map(backInOrder)
      expectSameModel(actual, expected, "resumed with other places")
      let moved = actual.model.filter { array in Self.dependent.contains { array.name.hasSuffix($0) } }
      #expect(moved.count == 4)
    }

    /// `fc_cls` and `fc_reg` of `swapped` in the order of `names`, by hand.
    private func backInOrder(_ array: Checkpoint.Array) -> Checkpoint.Array {
      guard Self.dependent.contains(where: { array.name.hasSuffix($0) }) else { return array }
      let rowsAClass = array.name.contains("fc_reg") ? 4 : 1
      let width = array.values.count / array.shape[0] * rowsAClass
      var result = array
      for (place, name) in Self.names.enumerated() {
        let from = Self.swapped.firstIndex(of: name)! * width
        result.values.replaceSubrange(place * width..<(place + 1) * width, with: array.values[from..<from + width])
      }
      return result
    }

    /// Renamed, added and removed classes.
    private static let others: [(names: [String], count: Int)] = [
      (["circle", "rectangle", "triangle", "star", "hoop"], 5),
      (["circle", "rectangle", "triangle", "star", "ring", "hoop"], 6), (["circle", "star"], 2),
    ]

    @Test("Other classes: test and --resume refuse, --load-from starts their layers fresh", arguments: 0..<3, [1, 2])
    func otherClasses(_ number: Int, ranks: Int) throws {
      let (names, count) = Self.others[number]
      try editCategories({ categories in
        guard names.contains("hoop") else { return categories }
        guard names.contains("ring") else {
          return categories.map { ($0["name"] as? String) == "ring" ? $0.merging(["name": "hoop"]) { $1 } : $0 }
        }
        return categories + [["id": 9, "name": "hoop"]]
      })
      let options = classes(names) + ["model.roi_head.bbox_head.num_classes=\(count)"]
      let refusals = [
        try test(options, ranks: ranks, to: "none.json"),
        try run.program.run(
          run.command("resumed", ranks: ranks, batch: 4, iterations: 8, options: options)
            + ["--resume", "trained/latest.h5"], ranks: ranks),
      ]
      let finished = try run.program.run(
        run.command("resumed", ranks: ranks, batch: 4, iterations: 6, options: options)
          + ["--resume", "trained/latest.h5"], ranks: ranks)
      for outcome in refusals + [finished] {
        #expect(outcome.code == 65, "\(outcome)")
        #expect(
          outcome.errors.contains(
            "trained/latest.h5: error: its classes are others than this run's. 5 in the file: circle, rectangle, "
              + "triangle, star, ring. \(count) here: \(names.joined(separator: ", "))."), "\(outcome)")
      }
      let tuned = try run.program.run(
        run.command("tuned", ranks: ranks, batch: 4, iterations: 2, options: options)
          + ["--load-from", "trained/latest.h5"], ranks: ranks)
      #expect(tuned.code == 0, "\(tuned)")
      for name in Self.dependent {
        #expect(
          tuned.output.contains("'roi_head.bbox_head.\(name)' starts fresh, as its classes are others: ["), "\(tuned)")
      }
      #expect(tuned.output.components(separatedBy: "starts fresh").count == 5)
      #expect(try run.checkpoint("tuned/latest.h5").classes == names)
    }

    @Test("predict shows the names that the weights have") func predict() throws {
      let picture = try #require(run.folder.names(in: "data/val").first)
      func predict(_ options: [String], to folder: String) throws -> (output: String, classes: [String]) {
        let outcome = try run.program.succeed(
          ["predict", "tiny.yaml", "trained/latest.h5", "data/val/\(picture)", "--out-dir", folder, "--score-thr"]
            + ["0.001"]
            + ["--cfg-options"] + Self.everything + options)
        let found = try Predictions("\(folder)/predictions.json", in: run.folder)
        return (outcome.output, found.annotations.map { "\($0.name) \($0.category_id) \($0.bbox)" }.sorted())
      }
      let straight = try predict([], to: "straight")
      let swapped = try predict(classes(Self.swapped), to: "swapped")
      #expect(!straight.classes.isEmpty)
      #expect(swapped.classes == straight.classes)
      #expect(swapped.output.contains("in another order"))
      let renamed = try predict(classes(["a", "b", "c", "d", "e"]), to: "renamed")
      #expect(renamed.classes == straight.classes)
      #expect(renamed.output.contains("the configuration's a, b, c, d, e: the checkpoint's are shown"))
    }
  }
}
