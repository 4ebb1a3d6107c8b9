import Primitives

/// A picture after the pipeline, with its boxes in its own pixels.
public struct Sample: Sendable {
  public let imageID: Int64
  public let oriSize: ImageSize
  public let geometry: Geometry
  public let boxes: [Box]
  public let labels: [Int]
  public let ignored: [Box]
  /// Of size `geometry.imgShape`. Flip, normalisation and padding are done while a batch is written.
  package let picture: DecodedImage
  let normalize: Normalize

  /// `[height, width, 3]` of `geometry.imgShape`: flipped, normalised, RGB or BGR.
  public var pixels: [Float] {
    [Float](unsafeUninitializedCapacity: picture.pixels.count) { values, initializedCount in
      if let start = values.baseAddress { write(to: start, stride: picture.width * 3) }
      initializedCount = picture.pixels.count
    }
  }

  /// Writes `pixels` as rows of `stride` floats, whose rests are left as they are.
  func write(to values: UnsafeMutablePointer<Float>, stride: Int) {
    normalize.write(picture, geometry.flip, to: values, stride: stride)
  }
}
