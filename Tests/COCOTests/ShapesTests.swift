import COCO
import Foundation
import Primitives
import Testing

@Suite struct ShapesTests {
  private struct File: Decodable {
    struct Image: Decodable {
      let id: Int
      let file_name: String
      let width: Int
      let height: Int
    }
    struct Annotation: Decodable {
      struct Regions: Decodable {
        let size: [Int]
        let counts: [Int]
      }
      let id: Int
      let image_id: Int
      let category_id: Int
      let bbox: [Double]
      let area: Double
      let iscrowd: Int
      /// nil where the list of polygons is empty.
      let region: Regions?

      enum CodingKeys: String, CodingKey {
        case id, image_id, category_id, bbox, area, iscrowd
        case region = "segmentation"
      }

      init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(Int.self, forKey: .id)
        image_id = try values.decode(Int.self, forKey: .image_id)
        category_id = try values.decode(Int.self, forKey: .category_id)
        bbox = try values.decode([Double].self, forKey: .bbox)
        area = try values.decode(Double.self, forKey: .area)
        iscrowd = try values.decode(Int.self, forKey: .iscrowd)
        region = try? values.decode(Regions.self, forKey: .region)
      }
    }
    struct Category: Decodable {
      let id: Int
      let name: String
    }
    let images: [Image]
    let annotations: [Annotation]
    let categories: [Category]
  }

  private func directory() -> String { FileManager.default.temporaryDirectory.path + "/shapes-\(UUID().uuidString)" }

  private func read(_ path: String) throws -> File {
    try JSONDecoder().decode(File.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  /// The same on every machine: the hashes are constants.
  @Test func reproducible() throws {
    let directory = directory()
    try ShapesDataset.write(to: directory, trainCount: 30, valCount: 10, seed: 5)
    let hashes = try ["train", "val"].map {
      KeyedRandom.hash(try text("\(directory)/annotations/instances_\($0).json"))
    }
    #expect(hashes == [-9_040_529_719_069_993_224, -7_252_708_530_773_463_751])
    let pixels = ShapesScene(random: KeyedRandom(seed: 5, purpose: .shapes, item: 3)).pixels
    #expect(KeyedRandom.hash(pixels.map { "\($0)" }.joined(separator: " ")) == 535_357_593_145_888_004)
    #expect(try text("\(directory)/annotations/instances_val.json") != text(another(seed: 6)))
  }

  private func another(seed: UInt64) throws -> String {
    let directory = directory()
    try ShapesDataset.write(to: directory, trainCount: 0, valCount: 10, seed: seed)
    return "\(directory)/annotations/instances_val.json"
  }

  @Test func contents() throws {
    let directory = directory()
    try ShapesDataset.write(to: directory, trainCount: 300, valCount: 5)
    let file = try read("\(directory)/annotations/instances_train.json")
    #expect(file.categories.map(\.name) == ShapesDataset.classes)
    #expect(file.categories.map(\.id) != file.categories.map(\.id).sorted())
    try checkImages(file, directory)
    checkAnnotations(file)
    checkProportions(file)
  }

  private func checkImages(_ file: File, _ directory: String) throws {
    #expect(Set(file.images.map(\.id)).count == 300)
    #expect(file.images.map(\.id).max()! > 400)
    let names = try FileManager.default.contentsOfDirectory(atPath: directory + "/train")
    #expect(names.sorted() == file.images.map(\.file_name).sorted())
    #expect((30...120).contains(names.count { $0.hasSuffix(".png") }))
    #expect(file.images.allSatisfy { (144...224).contains($0.width) && (144...224).contains($0.height) })
    #expect((75...225).contains(file.images.count { $0.width < $0.height }))
  }

  private func checkAnnotations(_ file: File) {
    let images = Dictionary(uniqueKeysWithValues: file.images.map { ($0.id, $0) })
    #expect(Set(file.annotations.map(\.id)).count == file.annotations.count)
    #expect(file.annotations.map(\.id).min()! > 0)
    for annotation in file.annotations {
      let (image, box) = (images[annotation.image_id]!, annotation.bbox)
      #expect(box[0] >= 0 && box[0] + box[2] <= Double(image.width) + 0.02)
      #expect(box[1] >= 0 && box[1] + box[3] <= Double(image.height) + 0.02)
      #expect(box[2] >= 5 && box[3] >= 5 && annotation.area >= 10)
      #expect(annotation.area <= (box[2] + 2) * (box[3] + 2))
      #expect((annotation.region != nil) == (annotation.iscrowd == 1))
      if let region = annotation.region {
        #expect(region.size == [image.height, image.width])
        #expect(region.counts.reduce(0, +) == image.height * image.width)
        #expect(
          Double(stride(from: 1, to: region.counts.count, by: 2).reduce(0) { $0 + region.counts[$1] }) == box[2]
            * box[3])
      }
    }
  }

  private func checkProportions(_ file: File) {
    let objects = file.annotations.filter { $0.iscrowd == 0 }
    #expect((900...1200).contains(objects.count))
    #expect((9...30).contains(file.annotations.count - objects.count))
    #expect((6...30).contains(300 - Set(file.annotations.map(\.image_id)).count))
    for category in file.categories {
      #expect((0.15...0.25).contains(share(objects) { $0.category_id == category.id }), "\(category.name)")
    }
    #expect(share(objects) { $0.area < 1024 } > 0.3)
    #expect(share(objects) { $0.area >= 1024 && $0.area < 9216 } > 0.3)
    #expect(share(objects) { $0.area >= 9216 } > 0.01)
    #expect(share(objects) { $0.bbox[2] > 1.5 * $0.bbox[3] } > 0.1)
    #expect(share(objects) { $0.bbox[3] > 1.5 * $0.bbox[2] } > 0.1)
  }

  private func share(_ objects: [File.Annotation], _ condition: (File.Annotation) -> Bool) -> Double {
    Double(objects.count(where: condition)) / Double(objects.count)
  }

  /// The box touches the shape on all four sides: compared with the points of a fine grid that lie in the shape.
  @Test(arguments: ShapeKind.allCases) func boxesAreTight(kind: ShapeKind) {
    var random = KeyedRandom(seed: 3, purpose: .test)
    for _ in 0..<10 {
      let shape = PlacedShape(
        kind: kind, center: Point(30, 40), half: Point(random.between(8, 20), random.between(8, 20)),
        direction: random.direction(limit: 1))
      var (lower, upper) = (Point(99, 99), Point(0, 0))
      for y in 0..<800 {
        for x in 0..<800 {
          let point = Point(Double(x), Double(y)) / 10
          guard kind.contains(shape.local(point)) else { continue }
          (lower, upper) = (pointwiseMin(lower, point), pointwiseMax(upper, point))
        }
      }
      let differences = [lower - shape.bounds.lower, shape.bounds.upper - upper]
      #expect(differences.allSatisfy { (-1e-9...0.8).contains($0.x) && (-1e-9...0.8).contains($0.y) })
    }
  }

  @Test func unwritable() {
    let error = #expect(throws: OutputError.self) {
      try ShapesDataset.write(to: "/dev/null/shapes", trainCount: 1, valCount: 1)
    }
    #expect(error?.path == "/dev/null/shapes/train")
  }
}
