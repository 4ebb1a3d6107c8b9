import Primitives

/// A picture after the pipeline, with its boxes in its own pixels.
public struct Sample: Sendable {
  public let imageID: Int64
  /// Of its `DrawKey`.
  public let draw: Int
  public let oriSize: ImageSize
  public let geometry: Geometry
  public let boxes: [Box]
  public let labels: [Int]
  public let ignored: [Box]
  public let proposals: [Box]
  /// Of size `geometry.imgShape`, or as it was decoded where it is resized as floats. That, flip, normalisation and
  /// padding are done while a batch is written.
  package let picture: DecodedImage
  let normalize: Normalize

  /// `[height, width, 3]` of `geometry.imgShape`: flipped, normalised, RGB or BGR.
  public var pixels: [Float] {
    let size = geometry.imgShape
    let count = size.height * size.width * 3
    return [Float](unsafeUninitializedCapacity: count) { values, initializedCount in
      if let start = values.baseAddress { write(to: start, stride: size.width * 3) }
      initializedCount = count
    }
  }

  /// Writes `pixels` as rows of `stride` floats, whose rests are left as they are.
  func write(to values: UnsafeMutablePointer<Float>, stride: Int) {
    let size = geometry.imgShape
    guard picture.size != size else { return normalize.write(picture, geometry.flip, to: values, stride: stride) }
    Resize.floatRows(picture, to: size) { y, row in
      let target = geometry.flip?.mirrorsY ?? false ? size.height - 1 - y : y
      normalize.write(row, mirrorsX: geometry.flip?.mirrorsX ?? false, to: values + target * stride)
    }
  }
}
