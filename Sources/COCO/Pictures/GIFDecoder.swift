internal import CGIF
import Primitives

/// The first picture of a GIF file, by giflib. Transparent pixels, and the screen where that picture is smaller, have the
/// background's colour, as in OpenCV.
enum GIFDecoder {
  /// The size of the screen. GIF knows no orientation.
  static func header(of file: PartialFile, _ rules: PictureRules) throws -> (ImageSize, orientation: Int) {
    let start = try file.bytes(at: 0, 10)
    guard start.count == 10 else { throw ImageFault.cutShort }
    let size = ImageSize(height: start.littleEndian(8, 2), width: start.littleEndian(6, 2))
    try rules.check(width: size.width, height: size.height)
    return (size, 1)
  }

  static func decode(_ file: [UInt8], _ rules: PictureRules, _ pool: PixelPool) throws -> DecodedImage {
    let (size, _) = try header(of: PartialFile(file), rules)
    return try file.withUnsafeBufferPointer { bytes in
      var source = cgif_source(bytes: bytes.baseAddress, count: bytes.count, position: 0)
      return try withUnsafeMutablePointer(to: &source) { source in
        var error = Int32(0)
        guard let gif = cgif_open(source, &error) else { throw fault(error) }
        defer { DGifCloseFile(gif, nil) }
        let transparent = try findPicture(gif)
        return try picture(gif, transparent: transparent, on: size, pool)
      }
    }
  }

  /// Reads up to the first picture.
  /// - Returns: the index that stands for no colour in it.
  private static func findPicture(_ gif: UnsafeMutablePointer<GifFileType>) throws -> UInt8? {
    var transparent: UInt8?
    while true {
      var type = UNDEFINED_RECORD_TYPE
      guard DGifGetRecordType(gif, &type) != GIF_ERROR else { throw fault(gif.pointee.Error) }
      switch type {
      case IMAGE_DESC_RECORD_TYPE:
        guard DGifGetImageDesc(gif) != GIF_ERROR else { throw fault(gif.pointee.Error) }
        return transparent
      case EXTENSION_RECORD_TYPE:
        var (code, block) = (Int32(0), UnsafeMutablePointer<GifByteType>?.none)
        guard DGifGetExtension(gif, &code, &block) != GIF_ERROR else { throw fault(gif.pointee.Error) }
        if code == GRAPHICS_EXT_FUNC_CODE, let block, block[0] == 4 {
          transparent = block[1] & 1 == 1 ? block[4] : nil
        }
        while block != nil {
          guard DGifGetExtensionNext(gif, &block) != GIF_ERROR else { throw fault(gif.pointee.Error) }
        }
      default: throw ImageFault("the GIF file holds no picture")
      }
    }
  }

  private static func picture(
    _ gif: UnsafeMutablePointer<GifFileType>, transparent: UInt8?, on screen: ImageSize, _ pool: PixelPool
  ) throws -> DecodedImage {
    let frame = gif.pointee.Image
    let (left, top) = (Int(frame.Left), Int(frame.Top))
    let (width, height) = (Int(frame.Width), Int(frame.Height))
    guard width > 0, height > 0, left >= 0, top >= 0, left + width <= screen.width, top + height <= screen.height else {
      throw ImageFault("the GIF file's first picture lies outside of its screen")
    }
    let colors = try colors(of: gif, transparent: transparent)
    var pixels = pool.take(screen.height * screen.width * 3)
    if width != screen.width || height != screen.height {
      for pixel in 0..<screen.height * screen.width {
        for channel in 0..<3 { pixels[pixel * 3 + channel] = colors.background[channel] }
      }
    }
    var line = [UInt8](repeating: 0, count: width)
    for row in rows(height, isInterlaced: frame.Interlace) {
      guard DGifGetLine(gif, &line, Int32(width)) != GIF_ERROR else { throw fault(gif.pointee.Error) }
      var target = ((top + row) * screen.width + left) * 3
      for index in line {
        for channel in 0..<3 { pixels[target + channel] = colors.table[Int(index) * 3 + channel] }
        target += 3
      }
    }
    return DecodedImage(screen, pixels, fullSize: screen, reduction: 1)
  }

  /// Blue, green and red of 256 indices, and of the background.
  private static func colors(
    of gif: UnsafeMutablePointer<GifFileType>, transparent: UInt8?
  ) throws -> (table: [UInt8], background: [UInt8]) {
    func color(_ map: ColorMapObject, _ index: Int) -> [UInt8] {
      guard index < Int(map.ColorCount) else { return [0, 0, 0] }
      let color = map.Colors[index]
      return [color.Blue, color.Green, color.Red]
    }
    let global = gif.pointee.SColorMap?.pointee
    guard let map = gif.pointee.Image.ColorMap?.pointee ?? global else {
      throw ImageFault("the GIF file has no table of colours")
    }
    let background = global.map { color($0, Int(gif.pointee.SBackGroundColor)) } ?? [0, 0, 0]
    let table = (0..<256).flatMap { index in
      transparent.map(Int.init) == index ? background : color(map, index)
    }
    return (table, background)
  }

  /// The rows in the order in which they are stored.
  private static func rows(_ height: Int, isInterlaced: Bool) -> [Int] {
    guard isInterlaced else { return Array(0..<height) }
    return [(0, 8), (4, 8), (2, 4), (1, 2)].flatMap { Array(stride(from: $0.0, to: height, by: $0.1)) }
  }

  private static func fault(_ error: Int32) -> ImageFault {
    if [D_GIF_ERR_READ_FAILED, D_GIF_ERR_EOF_TOO_SOON].contains(error) { return .cutShort }
    let reason = GifErrorString(error).map { String(cString: $0) } ?? "no reason given"
    return ImageFault("the GIF data are damaged: \(reason)")
  }
}
