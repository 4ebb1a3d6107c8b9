import COCO
import Primitives
import Testing

/// Proposals that are given move with the picture and stay with their image.
@Suite struct GivenProposalsTests {
  private func block(_ images: [[Box]]) -> ProposalBlock { ProposalBlock(images) }

  @Test func blocksKeepWhatTheyAreGiven() {
    let images: [[Box]] = [[Box(1, 2, 3, 4), Box(5, 6, 7, 8)], [], [Box(9, 10, 11, 12)]]
    let made = block(images)
    let copy = ProposalBlock(made.bytes, owner: made)
    for block in [made, copy] {
      #expect(block.imageCount == 3 && block.boxCount == 3 && (0..<3).map(block.boxes) == images)
    }
    #expect(block([]).imageCount == 0)
  }

  /// The first image has no annotation and is left out of training.
  @Test func imagesThatAreLeftOutTakeTheirProposalsWithThem() throws {
    let text = """
      {"images": [{"id": 1, "file_name": "a", "width": 64, "height": 48}, {"id": 2, "file_name": "b", "width": 64, "height": 48},
       {"id": 3, "file_name": "c", "width": 64, "height": 48}],
       "annotations": [{"id": 1, "image_id": 2, "category_id": 1, "bbox": [1, 1, 9, 9]},
        {"id": 2, "image_id": 3, "category_id": 1, "bbox": [1, 1, 9, 9]}], "categories": [{"id": 1, "name": "a"}]}
      """
    let proposals = block([[Box(0, 0, 1, 1)], [Box(0, 0, 2, 2)], []])
    let dataset = try CocoDataset(
      AnnotationFile(path: "a.json", bytes: Array(text.utf8)), configuration: DatasetConfiguration(), training: true,
      proposals: proposals)
    #expect(dataset.images.map(\.id) == [2, 3])
    // As in mmdetection, an empty list is one box without extent.
    #expect(dataset.images.map(\.proposals) == [[Box(0, 0, 2, 2)], [Box(0, 0, 0, 0)]])
  }

  @Test(arguments: [true, false]) func theyMoveWithThePicture(_ clips: Bool) throws {
    let pipeline = try Pipeline([
      .resize(scales: [ImageScale(width: 128, height: 96)], mode: .value, keepRatio: true, clipsBoxes: clips),
      .randomFlip(ratio: 1, direction: .horizontal), .pad(sizeDivisor: 32),
    ])
    var image = CocoDataset.Image(id: 1, fileName: "a", width: 64, height: 48, boxes: [Box(4, 6, 20, 60)], labels: [0])
    image.proposals = [Box(4, 6, 20, 60), Box(-8, 0, 10, 10)]
    let picture = DecodedImage(height: 48, width: 64, pixels: [UInt8](repeating: 0, count: 64 * 48 * 3))
    let sample = pipeline.apply(picture, image, key: DrawKey(seed: 0, epoch: 0))
    #expect(sample.proposals[0] == sample.boxes[0])
    let expected = clips ? Box(108, 0, 128, 20) : Box(108, 0, 144, 20)
    #expect(sample.proposals == [Box(88, 12, 120, clips ? 96 : 120), expected])
    let plan = BatchPlan(
      key: DrawKey(seed: 0, epoch: 0), iteration: 0, indices: [0], size: ImageSize(height: 96, width: 128))
    #expect(Batch([sample], plan: plan).images[0].proposals == sample.proposals)
  }
}
