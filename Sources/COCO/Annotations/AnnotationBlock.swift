/// The content of an annotation file as one stretch of bytes without addresses in it, so that it can be copied, sent and
/// shared by processes: counts, then a column after the other.
///
/// Annotations stand image by image. Immutable once made.
package final class AnnotationBlock: @unchecked Sendable {
  package let bytes: UnsafeRawBufferPointer
  /// What keeps the bytes where they are; nil if this object does.
  private let owner: AnyObject?

  let counts: Counts
  /// By image. `fileName(_:)` belongs to them.
  let imageIDs: UnsafeBufferPointer<Int64>
  let widths: UnsafeBufferPointer<Int32>
  let heights: UnsafeBufferPointer<Int32>
  /// Where each image's annotations begin, and their number at the end.
  let firstAnnotations: UnsafeBufferPointer<Int32>
  let categoryIDs: UnsafeBufferPointer<Int64>
  /// By annotation; boxes are `[x, y, width, height]`.
  let annotationIDs: UnsafeBufferPointer<Int64>
  let boxes: UnsafeBufferPointer<SIMD4<Double>>
  let areas: UnsafeBufferPointer<Double>
  let imageOfAnnotation: UnsafeBufferPointer<Int32>
  let categoryOfAnnotation: UnsafeBufferPointer<Int32>
  let flags: UnsafeBufferPointer<UInt8>
  /// File names, category names, ids that are texts, and findings: where each ends in `texts`.
  private let textEnds: UnsafeBufferPointer<Int>
  private let texts: UnsafeBufferPointer<UInt8>

  static let crowd: UInt8 = 1
  static let ignored: UInt8 = 2
  static let withoutBox: UInt8 = 4

  struct Counts: BitwiseCopyable {
    var images = 0
    var categories = 0
    var annotations = 0
    /// Ids that are texts, of images and of annotations; 0 where they are numbers.
    var imageNames = 0
    var annotationNames = 0
    var findings = 0
    /// In bytes.
    var texts = 0
    var hasAnnotations = true

    /// Of the content, without findings.
    var names: Int { images + categories + imageNames + annotationNames }
    var strings: Int { names + findings }
  }

  /// Reads a block that lies in `owner`'s memory, which must stay as it is and be aligned to 32 bytes.
  package convenience init(_ bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    self.init(bytes, counts: bytes.load(as: Counts.self), owner: owner)
  }

  private init(_ bytes: UnsafeRawBufferPointer, counts: Counts, owner: AnyObject?) {
    (self.bytes, self.counts, self.owner) = (bytes, counts, owner)
    var place = Cursor(bytes)
    boxes = place.column(counts.annotations)
    areas = place.column(counts.annotations)
    annotationIDs = place.column(counts.annotations)
    imageIDs = place.column(counts.images)
    categoryIDs = place.column(counts.categories)
    textEnds = place.column(counts.strings)
    imageOfAnnotation = place.column(counts.annotations)
    categoryOfAnnotation = place.column(counts.annotations)
    widths = place.column(counts.images)
    heights = place.column(counts.images)
    firstAnnotations = place.column(counts.images + 1)
    flags = place.column(counts.annotations)
    texts = place.column(counts.texts)
  }

  deinit {
    if owner == nil { bytes.deallocate() }
  }

  func fileName(_ image: Int) -> String { text(image) }
  func categoryName(_ category: Int) -> String { text(counts.images + category) }
  /// See `DatasetFinding.encoded`.
  func finding(_ index: Int) -> String { text(counts.names + index) }

  /// Of an id, which for texts is their place, from 1.
  func imageIdentifier(_ id: Int64) -> FileIdentifier {
    counts.imageNames == 0 ? .number(id) : .text(text(counts.images + counts.categories + Int(id) - 1))
  }

  func annotationIdentifier(_ id: Int64) -> FileIdentifier {
    counts.annotationNames == 0 ? .number(id) : .text(text(counts.names - counts.annotationNames + Int(id) - 1))
  }

  private func text(_ index: Int) -> String { String(decoding: utf8(index), as: UTF8.self) }

  /// The name's bytes behind its last slash.
  func baseName(_ image: Int) -> Slice<UnsafeBufferPointer<UInt8>> {
    let name = utf8(image)
    return name[(name.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? name.startIndex)...]
  }

  private func utf8(_ index: Int) -> Slice<UnsafeBufferPointer<UInt8>> {
    texts[(index == 0 ? 0 : textEnds[index - 1])..<textEnds[index]]
  }

  /// A hash of all that the file says; what was found odd in it is no part of it.
  var digest: UInt64 {
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    func add<Element: BitwiseCopyable>(_ column: UnsafeBufferPointer<Element>) {
      let bytes = UnsafeRawBufferPointer(column)
      for place in stride(from: 0, to: bytes.count, by: 8) {
        var word: UInt64 = 0
        if place + 8 <= bytes.count {
          word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
        } else {
          for byte in bytes[place...] { word = word << 8 | UInt64(byte) }
        }
        digest = (digest ^ word) &* 0x100_0000_01b3
        digest ^= digest >> 32
      }
    }
    let strings = counts.names
    add(boxes)
    add(areas)
    add(annotationIDs)
    add(imageIDs)
    add(categoryIDs)
    add(UnsafeBufferPointer(rebasing: textEnds[..<strings]))
    add(imageOfAnnotation)
    add(categoryOfAnnotation)
    add(widths)
    add(heights)
    add(flags)
    add(UnsafeBufferPointer(rebasing: texts[..<(strings == 0 ? 0 : textEnds[strings - 1])]))
    return digest
  }

  /// Hands out the columns in their order.
  private struct Cursor {
    private let bytes: UnsafeRawBufferPointer
    private var position = 64

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func column<Element: BitwiseCopyable>(_ count: Int) -> UnsafeBufferPointer<Element> {
      defer { position = Self.end(of: count, Element.self, from: position) }
      return UnsafeBufferPointer(rebasing: bytes[position...].bindMemory(to: Element.self)[..<count])
    }

    /// Columns are aligned to 32 bytes.
    static func end<Element>(of count: Int, _ type: Element.Type, from position: Int) -> Int {
      (position + count * MemoryLayout<Element>.stride + 31) & ~31
    }
  }
}

// MARK: Making one

extension AnnotationBlock {
  /// - Parameters:
  ///   - imageOfAnnotation: the position of each annotation's image.
  ///   - categoryOfAnnotation: the position of its category.
  convenience init(
    _ records: AnnotationRecords, imageOfAnnotation: [Int32], categoryOfAnnotation: [Int32],
    findings: [DatasetFinding]
  ) {
    let names = [records.identifiers.images.texts, records.identifiers.annotations.texts]
    let strings = [records.images.map(\.fileName), records.categories.map(\.name), findings.map(\.encoded)]
    let counts = Counts(
      images: records.images.count, categories: records.categories.count, annotations: records.annotations.count,
      imageNames: names[0].count, annotationNames: names[1].count, findings: findings.count,
      texts: strings.joined().reduce(0) { $0 + $1.utf8.count } + names.joined().reduce(0) { $0 + $1.count },
      hasAnnotations: records.hasAnnotations)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.byteCount(counts), alignment: 64)
    memory.storeBytes(of: counts, as: Counts.self)
    self.init(UnsafeRawBufferPointer(memory), counts: counts, owner: nil)
    writable(imageIDs).fill(records.images.lazy.map(\.id))
    writable(widths).fill(records.images.lazy.map { Int32($0.width) })
    writable(heights).fill(records.images.lazy.map { Int32($0.height) })
    writable(categoryIDs).fill(records.categories.lazy.map(\.id))
    var writer = TextWriter(ends: writable(textEnds), bytes: writable(texts))
    for string in strings[0...1].joined() { writer.write(string.utf8) }
    for name in names.joined() { writer.write(name) }
    for finding in strings[2] { writer.write(finding.utf8) }
    write(records.annotations, imageOfAnnotation, categoryOfAnnotation)
  }

  private static func byteCount(_ counts: Counts) -> Int {
    let eight = counts.strings + counts.images + counts.categories + 6 * counts.annotations
    let four = 2 * counts.annotations + 3 * counts.images + 1
    return 64 + 8 * eight + 4 * four + counts.annotations + counts.texts + 13 * 32
  }

  private struct TextWriter {
    let ends: UnsafeMutableBufferPointer<Int>
    let bytes: UnsafeMutableBufferPointer<UInt8>
    private var (count, end) = (0, 0)

    init(ends: UnsafeMutableBufferPointer<Int>, bytes: UnsafeMutableBufferPointer<UInt8>) {
      (self.ends, self.bytes) = (ends, bytes)
    }

    mutating func write(_ text: some Collection<UInt8>) {
      for byte in text {
        bytes[end] = byte
        end += 1
      }
      ends[count] = end
      count += 1
    }
  }

  /// Sorted by image, by counting.
  private func write(_ annotations: [AnnotationFile.Annotation], _ imageOf: [Int32], _ categoryOf: [Int32]) {
    let first = writable(firstAnnotations)
    first.update(repeating: 0)
    for image in imageOf { first[Int(image) + 1] += 1 }
    for image in 0..<counts.images { first[image + 1] += first[image] }
    var next = Array(first)
    let (ids, boxes, areas, flags) = (writable(annotationIDs), writable(boxes), writable(areas), writable(flags))
    let (images, categories) = (writable(imageOfAnnotation), writable(categoryOfAnnotation))
    for (index, annotation) in annotations.enumerated() {
      let place = Int(next[Int(imageOf[index])])
      next[Int(imageOf[index])] += 1
      ids[place] = annotation.id
      boxes[place] = SIMD4(annotation.x, annotation.y, annotation.width, annotation.height)
      areas[place] = annotation.area
      flags[place] =
        (annotation.isCrowd ? Self.crowd : 0) | (annotation.isIgnored ? Self.ignored : 0)
        | (annotation.hasBox ? 0 : Self.withoutBox)
      images[place] = imageOf[index]
      categories[place] = categoryOf[index]
    }
  }

  private func writable<Element>(_ column: UnsafeBufferPointer<Element>) -> UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(mutating: column)
  }
}

extension UnsafeMutableBufferPointer where Element: BitwiseCopyable {
  fileprivate func fill(_ values: some Sequence<Element>) {
    for (index, value) in values.enumerated() { self[index] = value }
  }
}
