import COCO
import Foundation
import Primitives
import TestSupport
import Testing

/// Several files as one data set, and images that come more than once.
@Suite struct DatasetArrangementTests {
  private let tree: FileTree

  init() throws { tree = try FileTree(["a/x.json", "b/y.json"]) }

  /// Two files with the same ids of images and annotations, other ids of categories, and pictures in two folders.
  private func configuration(_ arrangement: DatasetArrangement) throws -> DatasetConfiguration {
    let image = #"{"id": 1, "file_name": "p.jpg", "width": 64, "height": 48}"#
    let more = #", {"id": 2, "file_name": "q.jpg", "width": 48, "height": 64}"#
    let boxes = (1...2).map { TestData.annotation($0, image: $0, category: 7, bbox: "[1, 2, 5, \($0 + 3)]") }
    let first = TestData.json(images: image + more, annotations: boxes.joined(separator: ","))
    let second = TestData.json(
      images: image, annotations: TestData.annotation(1, image: 1, category: 9, bbox: "[3, 4, 20, 20]"),
      categories: #"{"id": 9, "name": "cat"}, {"id": 7, "name": "dog"}"#)
    for (name, text) in [("a/x", first), ("b/y", second)] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(tree.root)/\(name).json"))
    }
    var configuration = DatasetConfiguration()
    configuration.sources = ["a/x", "b/y"].map { name in
      AnnotationSource(path: "\(tree.root)/\(name).json", imgPrefix: "\(tree.root)/\(name.first ?? "a")/pictures")
    }
    configuration.arrangement = arrangement
    configuration.minSize = 1
    return configuration
  }

  private func dataset(_ arrangement: DatasetArrangement) throws -> CocoDataset {
    let configuration = try configuration(arrangement)
    return try CocoDataset(configuration.readAnnotations(), configuration: configuration, training: true)
  }

  private let both = DatasetArrangement.concatenation([.source(0), .source(1)])

  @Test func identifiersAndPicturesSayWhichFileTheyAreFrom() throws {
    let dataset = try dataset(both)
    let (a, b) = ("\(tree.root)/a/x.json", "\(tree.root)/b/y.json")
    #expect(
      dataset.images.indices.map { dataset.images.identifier(at: $0).description }
        == ["\"\(a): 1\"", "\"\(a): 2\"", "\"\(b): 1\""])
    #expect(Set(dataset.images.map(\.id)).count == 3)
    let pictures = ["a/pictures/p", "a/pictures/q", "b/pictures/p"].map { "\(tree.root)/\($0).jpg" }
    #expect(dataset.images.map(dataset.path) == pictures)
    // Categories of one name are one, whatever their ids.
    #expect(dataset.classes == ["cat", "dog"] && dataset.images.map(\.labels) == [[0], [0], [0]])
    #expect(dataset.images.map { $0.boxes[0].y2 } == [6, 7, 24])
    #expect(dataset.images.distinct == 0..<3)
  }

  @Test func aRepeatIsADrawOfItsOwn() throws {
    let dataset = try dataset(.concatenation([.repetition(.source(0), times: 3), .source(1)]))
    #expect(dataset.images.count == 7 && dataset.images.distinct == 0..<3)
    #expect(dataset.images.indices.map(dataset.images.repeatNumber) == [0, 0, 0, 1, 1, 2, 2])
    #expect(dataset.images.map(\.fileName).suffix(4).map { $0.suffix(5) } == ["p.jpg", "q.jpg", "p.jpg", "q.jpg"])
    #expect(dataset.summary.description.contains("3 of 3 images, which come 7 times an epoch"))
    #expect(dataset.facts.classes.map(\.images) == [3, 0])
    let pipeline = try Pipeline([
      .normalize(mean: [0, 0, 0], std: [1, 1, 1], toRGB: false), .pad(sizeDivisor: 1),
    ])
    func plans(rank: Int, ranks: Int) -> [BatchPlan] {
      let options = TrainingPlans.Options(seed: 4, globalBatch: 2, rank: rank, ranks: ranks, epochs: 1)
      return Array(TrainingPlans(dataset, pipeline, options: options))
    }
    let draws = plans(rank: 0, ranks: 1).flatMap { plan in
      zip(plan.indices.map(dataset.images.id), plan.draws).map { "\($0) \($1)" }
    }
    #expect(draws.count == 8 && Set(draws).count == 8, "\(draws)")
    let shared = zip(plans(rank: 0, ranks: 2), plans(rank: 1, ranks: 2)).flatMap { ($0.draws + $1.draws) }
    #expect(shared == plans(rank: 0, ranks: 1).flatMap(\.draws))
  }

  @Test func oneFileTwiceIsARepeat() throws {
    #expect(try dataset(.concatenation([.source(0), .source(1), .source(0)])).images.count == 5)
    let nested = DatasetArrangement.repetition(.classBalance(both, oversampleThr: 0), times: 2)
    #expect(try dataset(nested).images.count == 6)
  }

  @Test func rareClassesComeAsOftenAsInMMDetection() throws {
    let cases = try GoldenCase.all("data2").filter { $0.string("kind") == "ClassBalancedDataset" }
    try #require(!cases.isEmpty)
    for golden in cases {
      let text = try #require(golden.string("cat_ids"))
      let classes = try JSONDecoder().decode([[Int]].self, from: Data(text.utf8)).map { Set($0) }
      // Wrapped by a configuration, images without classes are never repeated.
      guard golden.flag("filter_empty_gt") == true else { continue }
      let threshold = try #require(golden.number("oversample_thr"))
      let factors = ImageArrangement.repeatFactors(of: classes, threshold: threshold)
      expectClose(
        factors.map { Float($0) }, try golden.doubles("expected/repeat_factors").map { Float($0) }, relative: 1e-6,
        "\(golden)")
      let arrangement = ImageArrangement(sourceOfImage: classes.map { _ in 0 }, classesOfImage: { classes[$0] })
      let repeats = arrangement.repeats(.classBalance(.source(0), oversampleThr: threshold)).map(\.image)
      let all = (Array(classes.indices) + repeats).sorted()
      #expect(all == (try golden.integers("expected/repeat_indices")), "\(golden)")
    }
  }

  @Test func cityscapesLeavesOutImagesOfCrowds() throws {
    let images = (1...3).map { #"{"id": \#($0), "file_name": "\#($0).jpg", "width": 64, "height": 48}"# }
    let boxes = [
      TestData.annotation(1, image: 1, bbox: "[1, 2, 5, 5]"),
      TestData.annotation(2, image: 2, bbox: "[1, 2, 5, 5]", ", \"iscrowd\": 1"),
      TestData.annotation(3, image: 1, bbox: "[1, 2, 5, 5]", ", \"iscrowd\": 1"),
    ]
    let text = TestData.json(images: images.joined(separator: ","), annotations: boxes.joined(separator: ","))
    let file = try TestData.file(text)
    var configuration = DatasetConfiguration()
    #expect(try CocoDataset(file, configuration: configuration, training: true).images.map(\.id) == [1, 2])
    configuration.leavesOutCrowdImages = true
    #expect(try CocoDataset(file, configuration: configuration, training: true).images.map(\.id) == [1])
    #expect(try CocoDataset(file, configuration: configuration, training: false).images.map(\.id) == [1, 2, 3])
  }
}
