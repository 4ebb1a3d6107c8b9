internal import CPNG
import Primitives

extension PNGDecoder {
  /// Whether the first bytes of a file are those of a picture of 16 bits without alpha.
  static func isDeep(_ start: some Collection<UInt8>) -> Bool {
    let bytes = Array(start.prefix(26))
    return bytes.count == 26 && bytes.starts(with: signature) && bytes[24] == 16 && bytes[25] & 4 == 0
  }

  /// The highest value of all channels of a picture of 16 bits without alpha, 0 to 65535.
  /// - Throws: `COCOError`.
  static func highestValue(in file: [UInt8], path: String, _ rules: PictureRules = PictureRules()) throws -> UInt16 {
    do {
      return try highestValue(of: essentials(of: file, rules).bytes)
    } catch let fault as ImageFault {
      throw COCOError(at: path, fault.reason)
    }
  }

  private static func highestValue(of file: [UInt8]) throws -> UInt16 {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    // The library keeps the pointer from the first call to the second.
    return try file.withUnsafeBytes { bytes in
      guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else { throw fault(image) }
      let isColor = image.format & png_uint_32(PNG_FORMAT_FLAG_COLOR) != 0
      // Without a gamma the values are taken for linear light, and linear light is asked for: they come as they are.
      image.format = png_uint_32(PNG_FORMAT_FLAG_LINEAR) | (isColor ? png_uint_32(PNG_FORMAT_FLAG_COLOR) : 0)
      let row = Int(image.width) * (isColor ? 3 : 1)
      var values = [UInt16](repeating: 0, count: row * Int(image.height))
      guard png_image_finish_read(&image, nil, &values, Int32(row), nil) != 0 else { throw fault(image) }
      return values.max() ?? 0
    }
  }
}
