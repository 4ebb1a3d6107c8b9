import Primitives

/// How pictures are read, whatever their format: `mpi.exif` and `mpi.max_picture_pixels`.
public struct PictureRules: Equatable, Sendable {
  public var exif = ExifUse.apply
  /// Larger pictures are refused from their header, before any memory is taken.
  public var maximumPixels = 1 << 27

  /// What `maximumPixels` can be: libpng addresses 4 GiB, which are as many pixels of four channels.
  public static let mostPixels = 1_000_000_000

  public init() {}

  /// The orientation that is applied to a picture that has this one.
  func orientation(_ stored: Int) -> Int { exif == .apply ? stored : 1 }

  /// - Throws: `ImageFault` for a size that no picture has, or that is refused.
  func check(width: Int, height: Int) throws {
    guard width > 0, height > 0 else { throw ImageFault("the picture's header states a size of \(width) x \(height)") }
    guard width <= maximumPixels / height else {
      throw ImageFault("the picture's header states \(width) x \(height); \(refusal)")
    }
  }

  /// Why a size is too large, and what helps.
  var refusal: String {
    "more than \(maximumPixels) pixels are refused: cut large pictures into tiles, or raise mpi.max_picture_pixels (a "
      + "pixel takes 3 bytes and more while it is read)"
  }
}

/// `mpi.exif`: whether a picture is turned as its EXIF orientation asks for, as OpenCV and so mmdetection do, or taken as
/// it is stored.
public enum ExifUse: String, Sendable, CaseIterable { case apply, ignore }
