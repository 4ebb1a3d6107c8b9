import Foundation
import Primitives
import Training

/// Writes a file like COCO's `instances_train2017.json`: the same keys, 80 categories with COCO's gaps, polygons with as
/// many points (about 480 bytes an annotation), one crowd with a run-length mask in a hundred. The same arguments give
/// the same bytes.
struct AnnotationGenerator {
  let images: Int
  let annotations: Int

  /// COCO's category ids are 1 … 90 without these.
  private static let unusedIDs: Set = [12, 26, 29, 30, 45, 66, 68, 69, 71, 83]
  static let categoryIDs = (1...90).filter { !unusedIDs.contains($0) }

  /// - Throws: where the file can't be written.
  func write(to path: String) throws {
    do { try writeFile(path) } catch let error as FileError {
      throw RunError(
        "\(path): error: can't be written (\(error.reason)); free the space or name another", exitCode: .io)
    }
  }

  /// A file of one byte for each image.
  /// - Throws: where they can't be written.
  func writePictures(to folder: String) throws {
    do {
      try Folder.make(folder)
      for index in 0..<images {
        let stream = try FileStream(creating: "\(folder)/\(AnnotationText.fileName(ofImage: id(ofImage: index)))")
        try stream.write([0])
        try stream.close()
      }
    } catch {
      throw RunError(
        "\(folder): error: can't be written (\(error.reason)); free the space or name another", exitCode: .io)
    }
  }

  private func writeFile(_ path: String) throws {
    var text = AnnotationText(try FileStream(creating: path))
    text.write(
      """
      {"info": {"description": "Made by rcnn-bench","url": "http://example.org","version": "1.0","year": 2017,\
      "contributor": "rcnn-bench","date_created": "2017/09/01"},"licenses": [{"url": "http://example.org/by",\
      "id": 1,"name": "Attribution License"}],"images": [
      """)
    for index in 0..<images { try text.element(index) { $0.writeImage(index, id: id(ofImage: index)) } }
    text.write("],\"annotations\": [")
    for index in 0..<annotations { try text.element(index) { writeAnnotation(index, to: &$0) } }
    text.write("],\"categories\": [")
    for (index, id) in Self.categoryIDs.enumerated() {
      try text.element(index) {
        $0.write("{\"supercategory\": \"group\(id % 12)\",\"id\": \(id),\"name\": \"class\(id)\"}")
      }
    }
    text.write("]}")
    try text.finish()
  }

  /// In no order, with gaps.
  private func id(ofImage index: Int) -> Int { 9 + 5 * (index * 400_009 % max(1, images)) + index % 5 }

  private func writeAnnotation(_ index: Int, to text: inout AnnotationText) {
    var random = KeyedRandom(seed: 0, purpose: .test, item: Int64(index))
    let (width, height) = (100 + random.below(30_000), 100 + random.below(25_000))
    let (x, y) = (random.below(64_000 - width), random.below(48_000 - height))
    let isCrowd = random.below(100) == 0
    text.write("{\"segmentation\": ")
    if isCrowd {
      text.writeRunLengths(&random)
    } else {
      text.writePolygon(x: x, y: y, width: width, height: height, &random)
    }
    // Twice the area in hundredths is an area with a fraction of many digits, as COCO's are.
    let area = Double(width) * Double(height) * (0.4 + 0.5 * Double(random.uniform())) / 10_000
    text.write(",\"area\": \(area),\"iscrowd\": \(isCrowd ? 1 : 0),\"image_id\": \(id(ofImage: random.below(images)))")
    text.write(",\"bbox\": [")
    for (place, value) in [x, y, width, height].enumerated() {
      if place > 0 { text.write(",") }
      text.write(hundredths: value)
    }
    let category = Self.categoryIDs[random.below(Self.categoryIDs.count)]
    text.write("],\"category_id\": \(category),\"id\": \(1 + index * 1_000_003 % 2_147_483_647)}")
  }
}

/// Puts the text together, with the spaces and the numbers of COCO's own files, and writes it in large pieces.
struct AnnotationText {
  private let file: FileStream
  private var bytes: [UInt8] = []

  init(_ file: FileStream) { self.file = file }

  mutating func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// An element of an array, behind a comma unless it is the first.
  mutating func element(_ index: Int, _ body: (inout AnnotationText) throws -> Void) throws {
    if index > 0 { write(",") }
    try body(&self)
    if bytes.count > 1 << 22 { try flush() }
  }

  /// `1234` is written as `12.34`, `1200` as `12.0`, as Python does.
  mutating func write(hundredths value: Int) {
    write(String(value / 100))
    let (first, second) = (value / 10 % 10, value % 10)
    bytes += [UInt8(ascii: "."), UInt8(48 + first)]
    if second != 0 { bytes.append(UInt8(48 + second)) }
  }

  static func fileName(ofImage id: Int) -> String { String(format: "%012d.jpg", id) }

  mutating func writeImage(_ index: Int, id: Int) {
    let name = Self.fileName(ofImage: id)
    let (width, height) = index % 4 == 0 ? (480, 640) : (640, 480)
    write("{\"license\": \(1 + index % 8),\"file_name\": \"\(name)\",")
    write("\"coco_url\": \"http://images.example.org/train2017/\(name)\",\"height\": \(height),\"width\": \(width),")
    write("\"date_captured\": \"2013-11-14 11:18:45\",")
    write("\"flickr_url\": \"http://farm9.example.org/8186/\(8_000_000_000 + id)_d3d2d3d2d3_z.jpg\",\"id\": \(id)}")
  }

  /// An ellipse of 6 to 40 points.
  mutating func writePolygon(x: Int, y: Int, width: Int, height: Int, _ random: inout KeyedRandom) {
    let count = 6 + random.below(35)
    write("[[")
    for point in 0..<count {
      let angle = 2 * Double.pi * Double(point) / Double(count)
      if point > 0 { write(",") }
      write(hundredths: x + Int(Double(width) * (1 + cos(angle)) / 2))
      write(",")
      write(hundredths: y + Int(Double(height) * (1 + sin(angle)) / 2))
    }
    write("]]")
  }

  mutating func writeRunLengths(_ random: inout KeyedRandom) {
    let lengths = (0..<100 + random.below(600)).map { _ in String(1 + random.below(600)) }
    write("{\"counts\": [\(lengths.joined(separator: ","))],\"size\": [480,640]}")
  }

  mutating func finish() throws {
    try flush()
    try file.close()
  }

  private mutating func flush() throws {
    try file.write(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}
