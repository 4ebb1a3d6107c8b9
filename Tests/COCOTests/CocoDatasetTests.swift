import COCO
import Primitives
import Testing

@Suite struct CocoDatasetTests {
  private let images = """
    {"id": 50, "file_name": "a.jpg", "width": 64, "height": 48}, {"id": 2, "file_name": "b.jpg", "width": 100, "height": 31},
    {"id": 9, "file_name": "c.jpg", "width": 40, "height": 40}, {"id": 4, "file_name": "d.jpg", "width": 40, "height": 41}
    """

  private func dataset(
    _ annotations: [String], classes: [String]? = nil, training: Bool = true, filterEmptyGt: Bool = true
  ) throws -> CocoDataset {
    let file = try TestData.file(TestData.json(images: images, annotations: annotations.joined(separator: ",")))
    var configuration = DatasetConfiguration()
    (configuration.classes, configuration.filterEmptyGt, configuration.imgPrefix) = (classes, filterEmptyGt, "folder")
    return try CocoDataset(file, configuration: configuration, training: training)
  }

  @Test func labelsFollowTheConfiguredNames() throws {
    let annotations = [
      TestData.annotation(1, image: 50, category: 7, bbox: "[1, 2, 3, 4]"),
      TestData.annotation(2, image: 50, category: 3, bbox: "[5, 6, 7, 8]"),
    ]
    let fileOrder = try dataset(annotations)
    #expect(fileOrder.classes == ["cat", "dog"] && fileOrder.categoryIDs == [7, 3])
    #expect(fileOrder.images[0].labels == [0, 1])
    let configured = try dataset(annotations, classes: ["dog", "cat"])
    #expect(configured.classes == ["dog", "cat"] && configured.categoryIDs == [3, 7])
    #expect(configured.images[0].labels == [1, 0])
    #expect(configured.images[0].boxes == [Box(1, 2, 4, 6), Box(5, 6, 12, 14)])
    #expect(configured.path(of: configured.images[0]) == "folder/a.jpg")
    let dogs = try dataset(annotations, classes: ["dog"])
    #expect(dogs.images[0].annotationIDs == [2] && dogs.summary.boxesOfOtherClasses == 1)
  }

  @Test func anUnknownClassIsAnError() {
    let error = #expect(throws: COCOError.self) { try dataset([], classes: ["dog", "cow"]) }
    #expect(error?.description == "a.json: error: has no category 'cow', which 'classes' asks for; it has 'cat', 'dog'")
  }

  @Test func dropsBoxesAsMmdetectionDoes() throws {
    let annotations = [
      TestData.annotation(1, image: 50, bbox: "[1, 2, 0.9, 4]"),
      TestData.annotation(2, image: 50, bbox: "[1, 2, 4, -4]"),
      TestData.annotation(3, image: 50, bbox: "[1, 2, 4, 4]", #", "area": 0"#),
      TestData.annotation(4, image: 50, bbox: "[64, 2, 4, 4]"),
      TestData.annotation(5, image: 50, bbox: "[-9, 2, 4, 4]"),
      TestData.annotation(6, image: 50, bbox: "[60, 40, 20, 20]"),
      TestData.annotation(7, image: 50, bbox: "[0, 0, 9, 9]", #", "iscrowd": 1"#),
      TestData.annotation(8, image: 50, bbox: "[0, 0, 9, 9]", #", "ignore": 1"#),
      TestData.annotation(9, image: 50, bbox: "[0, 0, 1, 1]"),
    ]
    let dataset = try dataset(annotations)
    #expect(dataset.images[0].boxes == [Box(60, 40, 80, 60), Box(0, 0, 1, 1)])
    #expect(dataset.images[0].annotationIDs == [6, 9])
    #expect(dataset.images[0].ignored == [Box(0, 0, 9, 9)])
    #expect(
      dataset.summary.description
        == "1 of 4 images (dropped: 3 without annotations), 2 boxes (dropped: 3 smaller than a pixel or without area, "
        + "2 outside their image, 1 marked 'ignore'); 1 crowd regions, 1 over the edge (Resize clips them)")
  }

  @Test func filtersImagesForTrainingOnly() throws {
    let annotations = [
      TestData.annotation(1, image: 2, bbox: "[1, 2, 3, 4]"),
      TestData.annotation(2, image: 9, bbox: "[1, 2, 3, 4]", #", "iscrowd": 1"#),
      TestData.annotation(3, image: 4, bbox: "[1, 2, 0, 4]"),
      TestData.annotation(4, image: 4, bbox: "[1, 2, 3, 4]"),
    ]
    // 50 has nothing, 2 is 31 pixels high; a crowd or a degenerate box is enough to stay.
    let training = try dataset(annotations)
    #expect(training.images.map(\.id) == [9, 4])
    #expect(training.summary.imagesTooSmall == 1 && training.summary.imagesWithoutAnnotations == 1)
    #expect(try dataset(annotations, filterEmptyGt: false).images.map(\.id) == [50, 9, 4])
    #expect(try dataset(annotations, training: false).images.map(\.id) == [50, 2, 9, 4])
    #expect(try dataset(annotations, training: false).images.map(\.aspectGroup) == [1, 1, 0, 0])
  }

  @Test func nothingLeftToTrainOnIsAnError() {
    let error = #expect(throws: COCOError.self) { try dataset([]) }
    #expect(
      error?.message
        == "no image is left to train on: 0 of 4 images (dropped: 4 without annotations), 0 boxes")
  }
}
