import COCO
import Primitives

/// The boxes of an annotation file that are drawn beside detections, and how many pictures had any.
struct GroundTruth {
  private let path: String
  private let pictures: AnnotatedPictures
  private let captions: [Int64: String]
  /// The detector's class of each category, by name: its colour.
  private let colors: [Int64: Int64]
  let notices: [String]
  private var (found, objects) = (0, 0)
  private var without: [String] = []

  /// - Parameters:
  ///   - classes: the detector's.
  ///   - ids: the category id of each, as they are drawn.
  /// - Throws: `COCOError`.
  init(reading path: String, classes: [String], ids: [Int]) throws {
    self.path = path
    let file = try AnnotationFile(reading: path)
    pictures = AnnotatedPictures(file)
    let (names, categories) = (file.categories.map(\.name), file.categories.map(\.id))
    let captions = ClassCaptions(names: names, ids: categories)
    self.captions = Dictionary(zip(categories, captions.texts)) { first, _ in first }
    let known = Dictionary(zip(classes, ids.map(Int64.init))) { first, _ in first }
    colors = Dictionary(zip(categories, names).compactMap { id, name in known[name].map { (id, $0) } }) { first, _ in
      first
    }
    let foreign = names.filter { known[$0] == nil }
    let list = FirstFew.counted(foreign, most: 5)
    notices = [
      captions.notice.map { "\(path): \($0)" },
      foreign.isEmpty ? nil : "\(path): the detector doesn't know \(list); their boxes are drawn in grey",
    ].compactMap { $0 }
  }

  /// The boxes of a picture.
  mutating func boxes(for path: String, size: ImageSize, exif: ExifUse) -> [DrawnBox] {
    switch pictures.entry(for: path, size: size, exif: exif) {
    case .none: without.append("\(path) has none")
    case .ambiguous: without.append("\(path) may be any of several")
    case .otherSize(let difference): without.append("\(path): \(difference)")
    case .objects(let objects):
      found += 1
      self.objects += objects.count
      return objects.map {
        DrawnBox(
          box: $0.box, category: colors[$0.categoryID], name: captions[$0.categoryID] ?? "#\($0.categoryID)",
          detail: $0.isCrowd ? "gt crowd" : "gt", style: .groundTruth)
      }
    }
    return []
  }

  /// How many pictures had an entry, and the first that had none.
  var summary: String {
    let list = without.prefix(5).joined(separator: "; ") + (without.count > 5 ? "; …" : "")
    return "ground truth of \(path): \(found) of \(found + without.count) pictures have an entry there, with "
      + "\(objects) boxes" + (list.isEmpty ? "" : " (\(list))")
  }
}
