import Primitives

/// What holds between the parts of an annotation file.
extension AnnotationRecords {
  /// Why a `file_name` can't be used, or nil: it must stay inside the image folder.
  static func fault(ofFileName name: String) -> String? {
    if name.isEmpty { return "is empty" }
    let bytes = name.utf8
    if bytes.contains(0) { return "holds a NUL character" }
    if bytes.first == UInt8(ascii: "/") { return "is an absolute path; a path inside the image folder is expected" }
    if bytes.contains(UInt8(ascii: ":")), name.contains("://") {
      return "is a URL; pictures are read from files only"
    }
    if bytes.contains(UInt8(ascii: "\\")), name.hasPrefix("..\\") || name.contains("\\..\\") {
      return "leaves the image folder"
    }
    var depth = 0
    for part in bytes.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
      depth += part.elementsEqual("..".utf8) ? -1 : 1
      if depth < 0 { return "leaves the image folder" }
    }
    return depth == 0 ? "names no file" : nil
  }

  /// The block, once ids are unique where they are referred to, and what is referred to is there.
  func checked(_ path: String) throws -> AnnotationBlock {
    guard !images.isEmpty else { throw COCOError(at: path, "'images' is empty: there is nothing to work on") }
    guard !categories.isEmpty else { throw COCOError(at: path, "'categories' is empty: there is nothing to detect") }
    let imageTable = IdentifierTable(images.lazy.map(\.id))
    if let (first, second) = imageTable.firstRepetition {
      let names = "\"\(images[first].fileName)\" and \"\(images[second].fileName)\""
      throw COCOError(at: path, "two images have the id \(images[first].id): \(names)")
    }
    let categoryTable = IdentifierTable(categories.lazy.map(\.id))
    if let (first, second) = categoryTable.firstRepetition {
      let names = "'\(categories[first].name)' and '\(categories[second].name)'"
      throw COCOError(at: path, "two categories have the id \(categories[first].id): \(names)")
    }
    var (imageOf, categoryOf): ([Int32], [Int32]) = ([], [])
    imageOf.reserveCapacity(annotations.count)
    categoryOf.reserveCapacity(annotations.count)
    for annotation in annotations {
      guard let image = imageTable[annotation.imageID] else {
        throw unknown(annotation, "image \(annotation.imageID)", "images", "\(images.count) images", path)
      }
      guard let category = categoryTable[annotation.categoryID] else {
        throw unknown(
          annotation, "category \(annotation.categoryID)", "categories", "\(categories.count) categories", path)
      }
      imageOf.append(Int32(image))
      categoryOf.append(Int32(category))
    }
    return AnnotationBlock(
      self, imageOfAnnotation: imageOf, categoryOfAnnotation: categoryOf, warnings: repetitionWarnings)
  }

  private func unknown(
    _ annotation: AnnotationFile.Annotation, _ what: String, _ section: String, _ count: String, _ path: String
  ) -> COCOError {
    COCOError(at: path, "annotation \(annotation.id) names \(what), which is not in '\(section)' (\(count))")
  }

  private var repetitionWarnings: [String] {
    var warnings: [String] = []
    if annotations.isEmpty { warnings.append("'annotations' is empty: there is nothing to train on") }
    if let place = IdentifierTable(annotations.lazy.map(\.id)).firstRepetition?.second {
      warnings.append("annotation id \(annotations[place].id) is used more than once")
    }
    if let name = Self.repeated(images.lazy.map(\.fileName)) {
      warnings.append("\"\(name)\" is listed as more than one image")
    }
    if let name = Self.repeated(categories.lazy.map(\.name)) {
      warnings.append("more than one category has the name '\(name)'")
    }
    return warnings
  }

  private static func repeated(_ names: some Collection<String>) -> String? {
    var seen: Set<String> = []
    return names.first { !seen.insert($0).inserted }
  }
}

/// Where each id stands in a list: a hash table with linear probing.
struct IdentifierTable {
  private var ids: [Int64] = []
  /// Positions in `ids`, -1 for a free slot; at least half are free, so that a search ends.
  private var slots: [Int32]
  /// The first id that is there already, and its two places.
  private(set) var firstRepetition: (first: Int, second: Int)?

  init(_ ids: some Collection<Int64>) {
    let capacity = 1 << (Int.bitWidth - (2 * ids.count).leadingZeroBitCount)
    slots = [Int32](repeating: -1, count: capacity)
    self.ids.reserveCapacity(ids.count)
    for id in ids {
      let slot = slot(of: id)
      if slots[slot] < 0 {
        slots[slot] = Int32(self.ids.count)
      } else if firstRepetition == nil {
        firstRepetition = (Int(slots[slot]), self.ids.count)
      }
      self.ids.append(id)
    }
  }

  /// The first place of an id.
  subscript(id: Int64) -> Int? {
    let place = slots[slot(of: id)]
    return place < 0 ? nil : Int(place)
  }

  private func slot(of id: Int64) -> Int {
    var slot = Int(truncatingIfNeeded: KeyedRandom.mix(UInt64(bitPattern: id))) & (slots.count - 1)
    while slots[slot] >= 0, ids[Int(slots[slot])] != id { slot = (slot + 1) & (slots.count - 1) }
    return slot
  }
}
