import COCO
import Primitives
import Testing
import Training

/// What `browse` shows is what the detector gets, turned back.
@Suite struct BrowsedPictureTests {
  /// Other values in each channel and place; blue, green, red.
  private let picture = DecodedImage(
    height: 6, width: 10, pixels: (0..<180).map { UInt8(($0 * 37 + 11) % 256) })

  private func shown(_ steps: [PipelineStep], size: ImageSize? = nil) throws -> DecodedImage {
    let pipeline = try Pipeline(steps)
    let image = CocoDataset.Image(id: 1, fileName: "1.png", width: 10, height: 6, boxes: [Box(1, 1, 4, 4)], labels: [0])
    let key = DrawKey(seed: 1, epoch: 0)
    let sample = pipeline.apply(picture, image, key: key)
    let plan = BatchPlan(key: key, iteration: 0, indices: [0], size: size ?? sample.geometry.padShape)
    return BrowsedPicture(Batch([sample], plan: plan), names: ["a"], ids: [1]).picture(undoing: steps)
  }

  @Test(arguments: [true, false]) func normalisationIsUndone(toRGB: Bool) throws {
    let steps = [PipelineStep.normalize(mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], toRGB: toRGB)]
    #expect(try shown(steps) == picture)
    #expect(try shown([]) == picture)
  }

  @Test func aFlipIsShown() throws {
    let flipped = try shown([.randomFlip(ratio: 1, direction: .horizontal)])
    for y in 0..<6 {
      for x in 0..<10 {
        let (here, there) = ((y * 10 + x) * 3, (y * 10 + 9 - x) * 3)
        #expect(flipped.pixels[here..<here + 3] == picture.pixels[there..<there + 3])
      }
    }
  }

  @Test func paddingIsNoPartOfThePicture() throws {
    let padded = try shown([.pad(sizeDivisor: 8)], size: ImageSize(height: 16, width: 24))
    #expect(padded.size == ImageSize(height: 16, width: 24))
    func pixel(_ x: Int, _ y: Int) -> [UInt8] { Array(padded.pixels[(y * 24 + x) * 3..<(y * 24 + x) * 3 + 3]) }
    #expect(pixel(9, 5) == Array(picture.pixels.suffix(3)))
    // Its own multiple of 8 is 8 × 16; the rest is the batch's.
    for (x, y) in [(10, 5), (15, 7), (0, 6)] { #expect([[70, 70, 70], [100, 100, 100]].contains(pixel(x, y))) }
    for (x, y) in [(16, 5), (23, 15), (0, 8)] { #expect([[190, 190, 190], [215, 215, 215]].contains(pixel(x, y))) }
  }
}
