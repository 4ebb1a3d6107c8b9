import Primitives

/// The objects of an annotation file, to be found by the path of a picture, whatever folders the file and the path name.
public struct AnnotatedPictures: Sendable {
  public struct Object: Equatable, Sendable {
    /// In pixels of the picture.
    public let box: Box
    public let categoryID: Int64
    public let isCrowd: Bool

    public init(box: Box, categoryID: Int64, isCrowd: Bool) {
      (self.box, self.categoryID, self.isCrowd) = (box, categoryID, isCrowd)
    }
  }

  /// What the file says of a picture.
  public enum Entry: Equatable, Sendable {
    case objects([Object])
    /// Nothing of that name.
    case none
    /// Several entries of that name, and the folders don't tell which.
    case ambiguous
    /// The entry is for a picture of another size, in which way.
    case otherSize(String)
  }

  public var categories: [AnnotationFile.Category] { file.categories }
  private let file: AnnotationFile
  /// The entries of a base name.
  private let places: [String: [Int]]

  public init(_ file: AnnotationFile) {
    self.file = file
    var places: [String: [Int]] = [:]
    for (place, image) in file.images.enumerated() {
      places[Self.parts(image.fileName).last.map(String.init) ?? "", default: []].append(place)
    }
    self.places = places
  }

  /// The entry that has the picture's name and most of its folders.
  /// - Parameters:
  ///   - path: the picture's, with whatever folders.
  ///   - size: the picture's, as it was read.
  ///   - exif: how it was read.
  public func entry(for path: String, size: ImageSize, exif: ExifUse = .apply) -> Entry {
    let parts = Self.parts(path)
    let alike = places[parts.last.map(String.init) ?? ""] ?? []
    let common = alike.map { place in
      zip(Self.parts(file.images[place].fileName).reversed(), parts.reversed()).prefix { $0 == $1 }.count
    }
    guard let most = common.max() else { return .none }
    guard common.count(where: { $0 == most }) == 1, let chosen = common.firstIndex(of: most) else { return .ambiguous }
    let image = file.images[alike[chosen]]
    let stated = ImageSize(height: image.height, width: image.width)
    if let difference = size.difference(from: stated, orientation: nil, exif: exif) { return .otherSize(difference) }
    return .objects(
      file.annotations.ofImage(alike[chosen]).compactMap { index in
        let annotation = file.annotations[index]
        guard annotation.hasBox else { return nil }
        let (x, y) = (Float(annotation.x), Float(annotation.y))
        return Object(
          box: Box(x, y, x + Float(annotation.width), y + Float(annotation.height)),
          categoryID: annotation.categoryID, isCrowd: annotation.isCrowd)
      })
  }

  /// The folders and the name; exports from Windows have backslashes.
  private static func parts(_ path: String) -> [Substring] {
    path.split { $0 == "/" || $0 == "\\" }.filter { $0 != "." }
  }
}
