import COCO
import Primitives
import Testing

@Suite struct AnnotatedPicturesTests {
  private let size = ImageSize(height: 48, width: 64)

  private func pictures(_ names: String...) throws -> AnnotatedPictures {
    let images = names.enumerated().map { index, name in
      #"{"id": \#(index + 1), "file_name": "\#(name)", "width": 64, "height": 48}"#
    }
    let boxes = names.indices.map { TestData.annotation($0 + 1, image: $0 + 1, bbox: "[\($0), 2, 5, 4]") }
    return AnnotatedPictures(
      try TestData.file(
        TestData.json(images: images.joined(separator: ","), annotations: boxes.joined(separator: ","))))
  }

  /// Which entry, from its box.
  private func place(_ path: String, in pictures: AnnotatedPictures) -> Int? {
    guard case .objects(let objects) = pictures.entry(for: path, size: size) else { return nil }
    return objects.first.map { Int($0.box.x1) }
  }

  @Test func namesWithAndWithoutFolders() throws {
    let pictures = try pictures("a.jpg", "images/b.jpg", "x\\\\y\\\\c.jpg", "ni\u{f1}o.jpg")
    for path in ["a.jpg", "data/images/a.jpg", "/a.jpg", "./a.jpg"] { #expect(place(path, in: pictures) == 0) }
    for path in ["b.jpg", "images/b.jpg", "other/b.jpg", "data/images/b.jpg"] {
      #expect(place(path, in: pictures) == 1)
    }
    #expect(place("y/c.jpg", in: pictures) == 2)
    #expect(place("nin\u{303}o.jpg", in: pictures) == 3)
    for path in ["d.jpg", "a.png", "a.jpg/e.jpg"] { #expect(pictures.entry(for: path, size: size) == .none) }
  }

  @Test func theMostFoldersDecide() throws {
    let pictures = try pictures("cam1/0.jpg", "cam2/0.jpg", "day/cam2/0.jpg")
    #expect(place("data/cam1/0.jpg", in: pictures) == 0)
    #expect(place("day/cam2/0.jpg", in: pictures) == 2)
    #expect(pictures.entry(for: "cam2/0.jpg", size: size) == .ambiguous)
    #expect(pictures.entry(for: "0.jpg", size: size) == .ambiguous)
  }

  @Test func anotherSizeIsSaid() throws {
    let entry = try pictures("a.jpg").entry(for: "a.jpg", size: ImageSize(height: 24, width: 32))
    guard case .otherSize(let difference) = entry else {
      Issue.record("\(entry)")
      return
    }
    #expect(difference.hasPrefix("the picture is 32 x 24 pixels upright, but the annotation file says 64 x 48"))
  }

  @Test func objects() throws {
    let file = try TestData.file(
      TestData.json(
        annotations: TestData.annotation(1, bbox: "[1, 2, 5, 4]") + ","
          + TestData.annotation(2, category: 3, bbox: "[0, 0, 9, 9]", #", "iscrowd": 1"#)))
    #expect(
      AnnotatedPictures(file).entry(for: "a.jpg", size: size)
        == .objects([
          AnnotatedPictures.Object(box: Box(1, 2, 6, 6), categoryID: 7, isCrowd: false),
          AnnotatedPictures.Object(box: Box(0, 0, 9, 9), categoryID: 3, isCrowd: true),
        ]))
  }
}
