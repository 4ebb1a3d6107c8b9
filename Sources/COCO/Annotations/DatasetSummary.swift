/// How many images and boxes a data set has, and how many of the file's were dropped for which reason.
public struct DatasetSummary: Equatable, Sendable, CustomStringConvertible {
  public let path: String
  public let imagesInFile: Int
  /// Else it is measured, where all boxes of its classes count.
  public let isForTraining: Bool
  /// Images with a shorter side are too small to train on.
  let minSize: Int
  public internal(set) var images = 0
  /// With those that come more than once.
  public internal(set) var imagesAnEpoch = 0
  public internal(set) var imagesWithoutAnnotations = 0
  public internal(set) var imagesTooSmall = 0
  /// Boxes to train on or to find, and crowd boxes (ignored) in all of the file's images.
  public internal(set) var boxes = 0
  public internal(set) var crowdBoxes = 0
  /// Not trained on: less than a pixel wide or high, or an area of 0 or less.
  public internal(set) var boxesTooSmall = 0
  /// Not trained on: wholly outside their image.
  public internal(set) var boxesOutside = 0
  /// Left out: of a class that the configuration does not name.
  public internal(set) var boxesOfOtherClasses = 0
  /// Not trained on: with `ignore` set.
  public internal(set) var boxesMarkedIgnore = 0
  /// Kept, but reaching a pixel or more over the edge of their image.
  public internal(set) var boxesOverTheEdge = 0
  /// Of those without area or smaller than a pixel: wholly between 0 and 1, as fractions of a picture are.
  var boxesWithinUnit = 0
  /// How far boxes reach to the right or down, in widths or heights of their image: 1 is its edge.
  var reach = 0.0
  /// The names of the classes that take part, and of the file's others that have boxes.
  var classesTaken: [String] = []
  var otherClasses: [String] = []
  /// In the file's order.
  public internal(set) var classesWithoutBoxes: [String] = []
  /// What else is odd.
  public internal(set) var findings: [DatasetFinding]

  init(_ file: AnnotationFile, isForTraining: Bool, minSize: Int) {
    (path, imagesInFile, findings) = (file.path, file.images.count, file.findings)
    (self.isForTraining, self.minSize) = (isForTraining, minSize)
  }

  /// One line; only counts that are not 0 are named.
  public var description: String {
    let images = Self.counts([
      (imagesWithoutAnnotations, "without annotations"), (imagesTooSmall, "with a side below \(minSize) pixels"),
    ])
    let useless = [
      (boxesTooSmall, "smaller than a pixel or without area"), (boxesOutside, "outside their image"),
      (boxesMarkedIgnore, "marked 'ignore'"),
    ]
    let others = [(boxesOfOtherClasses, "of other classes")]
    let dropped = Self.counts(isForTraining ? useless + others : others)
    let counted = isForTraining ? "" : Self.counts(useless)
    let notes = Self.counts([
      (crowdBoxes, "crowd regions"),
      (boxesOverTheEdge, "over the edge" + (isForTraining ? " (Resize clips them)" : "")),
    ])
    let remarks = [counted.isEmpty ? "" : "\(counted) (they count in COCO's metrics)", notes].filter { !$0.isEmpty }
    return "\(self.images) of \(imagesInFile) images" + (images.isEmpty ? "" : " (dropped: \(images))")
      + (imagesAnEpoch > self.images ? ", which come \(imagesAnEpoch) times an epoch" : "")
      + ", \(boxes) boxes" + (dropped.isEmpty ? "" : " (dropped: \(dropped))")
      + (remarks.isEmpty ? "" : "; \(remarks.joined(separator: ", "))")
  }

  static func counts(_ counts: [(Int, String)]) -> String {
    counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
  }
}
