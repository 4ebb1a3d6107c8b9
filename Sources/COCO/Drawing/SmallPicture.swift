import Primitives

extension CocoDataset {
  /// An image's picture to be looked at, upright: no side is longer than `longest` pixels. What it was read for is another
  /// thing: it is decoded anew.
  /// - Throws: `COCOError` naming the file.
  package func smallPicture(of image: Image, longest: Int) throws -> DecodedImage {
    let bytes = try pictures.read(image.fileName, limit: ImageDecoder.maximumBytes)
    let target = image.size.fitting(longest: longest)
    return try ImageDecoder.decode(
      bytes, path: path(of: image), expectedSize: image.size, covering: target, pictureRules, PixelPool()
    ).shrunk(longest: longest)
  }
}

extension DecodedImage {
  /// The same no longer than `longest` pixels in any direction: halved by means as long as that is not too small, then
  /// resized.
  package func shrunk(longest: Int) -> DecodedImage {
    let target = fullSize.fitting(longest: longest)
    guard target != size, target != fullSize else { return self }
    var image = self
    while image.height >= 2 * target.height, image.width >= 2 * target.width { image = image.halved }
    return Resize.linear(image, to: target, PixelPool())
  }

  /// The means of four pixels each; an odd row or column at the end is left out.
  private var halved: DecodedImage {
    let (rows, columns) = (height / 2, width / 2)
    var means: [UInt8] = []
    means.reserveCapacity(rows * columns * 3)
    for y in 0..<rows {
      for x in 0..<columns {
        for channel in 0..<3 {
          let place = (2 * y * width + 2 * x) * 3 + channel
          let (right, below) = (place + 3, place + width * 3)
          let sum = Int(pixels[place]) + Int(pixels[right]) + Int(pixels[below]) + Int(pixels[below + 3])
          means.append(UInt8((sum + 2) / 4))
        }
      }
    }
    return DecodedImage(height: rows, width: columns, pixels: means)
  }
}

extension ImageSize {
  /// In the same proportions, no side longer than `longest`; itself where it is small enough.
  fileprivate func fitting(longest: Int) -> ImageSize {
    let factor = Double(longest) / Double(max(height, width))
    guard factor < 1 else { return self }
    return ImageSize(
      height: max(1, Int((Double(height) * factor).rounded())), width: max(1, Int((Double(width) * factor).rounded())))
  }
}
