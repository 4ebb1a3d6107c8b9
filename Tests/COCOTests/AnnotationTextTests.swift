import COCO
import Foundation
import Primitives
import Testing

/// What the annotation reader does in blocks and pieces, against the rules taken one character at a time.
@Suite struct AnnotationTextTests {
  /// `[` value `,` value … `]`, where a value is a number or such an array (RFC 8259, without strings and words).
  private struct NaiveArrays {
    let text: [UInt8]
    var position = 0

    private var next: UInt8 { position < text.count ? text[position] : 0 }
    private mutating func spaces() { while [0x20, 0x0a, 0x0d, 0x09].contains(next) { position += 1 } }
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      defer { position += next == UInt8(ascii: character) ? 1 : 0 }
      return next == UInt8(ascii: character)
    }
    private mutating func digits() -> Bool {
      let start = position
      while (48...57).contains(next) { position += 1 }
      return position > start
    }

    mutating func value() -> Bool {
      spaces()
      if take("[") { return elements() }
      _ = take("-")
      guard take("0") || digits() else { return false }
      if take("."), !digits() { return false }
      guard take("e") else { return true }
      _ = take("-") || take("+")
      return digits()
    }

    private mutating func elements() -> Bool {
      spaces()
      if take("]") { return true }
      while value() {
        spaces()
        if take("]") { return true }
        guard take(",") else { return false }
      }
      return false
    }
  }

  private func randomArray(_ random: inout KeyedRandom, depth: Int = 0) -> String {
    func space() -> String { random.below(4) > 0 ? "" : [" ", "\n", "\t \r\n", "     "][random.below(4)] }
    let elements = (0..<random.below(depth == 0 ? 20 : 6)).map { _ in
      if depth < 4, random.below(4) == 0 { return space() + randomArray(&random, depth: depth + 1) + space() }
      let sign = random.below(4) == 0 ? "-" : ""
      let fraction = random.below(3) == 0 ? "" : ".\(random.below(10))\(random.below(1 << random.below(40)))"
      let exponent = random.below(40) == 0 ? "e-\(random.below(30))" : ""
      return "\(space())\(sign)\(random.below(1 << random.below(30)))\(fraction)\(exponent)\(space())"
    }
    return "[" + elements.joined(separator: ",") + "]"
  }

  @Test func arraysOfNumbersFollowTheSyntax() {
    let alphabet = Array("0123456789.-,[] \n0.,[]e\"x".utf8)
    var random = KeyedRandom(seed: 3, purpose: .test)
    var counts = [0, 0]
    for number in 0..<30_000 {
      var array = Array(randomArray(&random).utf8)
      for _ in 0..<number % 3 {
        let place = random.below(array.count)
        switch random.below(3) {
        case 0: array[place] = alphabet[random.below(alphabet.count)]
        case 1: array.insert(alphabet[random.below(alphabet.count)], at: place)
        default: array.remove(at: place)
        }
      }
      if array.contains(UInt8(ascii: "\"")) { continue }
      var naive = NaiveArrays(text: array)
      let isValid = naive.value() && naive.position == array.count
      let text = Array("{\"x\":".utf8) + array + Array(",".utf8) + TestData.json().utf8.dropFirst()
      let isRead = (try? AnnotationFile(path: "a.json", bytes: text)) != nil
      #expect(isRead == isValid, "\(String(decoding: array, as: UTF8.self))")
      counts[isValid ? 1 : 0] += 1
    }
    #expect(counts.allSatisfy { $0 > 5000 }, "\(counts) invalid and valid ones")
  }

  /// With every length up to some blocks, so that each character once begins a block.
  @Test func arraysEndAnywhere() {
    for length in 0..<200 {
      for end in ["]", "5]", "5 ]", "]]", ",]", ".]", "-]", "05]", " 5 6]"] {
        let array = "[" + String(repeating: "1,", count: length / 2) + (length % 2 == 0 ? " " : "  ") + "2.5,[7" + end
        let isValid = ["]]"].contains(end)
        let text = "{\"x\": \(array), " + TestData.json().dropFirst()
        #expect(((try? TestData.file(text)) != nil) == isValid, "\(array)")
      }
    }
  }

  @Test func numbersAreTheNearestDoubles() throws {
    var random = KeyedRandom(seed: 4, purpose: .test)
    var texts = ["0", "-0", "-0.0", "1e-7", "9007199254740993", "9007199254740993.0", "0.1", "123456.7890123456789"]
    texts += ["4.35", "0.000001", "179.769313486231570", "1E2", "2.2250738585072011e-308", "5e-324"]
    for _ in 0..<5000 {
      let fraction = (0..<1 + random.below(22)).map { _ in String(random.below(10)) }.joined()
      texts.append("\(random.below(3) == 0 ? "-" : "")\(random.below(1 << random.below(62))).\(fraction)")
    }
    let boxes = texts.enumerated().map { TestData.annotation($0, bbox: "[\($1), 0, 1, 1]", ", \"area\": \($1)") }
    let file = try TestData.file(TestData.json(annotations: boxes.joined(separator: ",\n")))
    #expect(file.annotations.count == texts.count)
    for (text, annotation) in zip(texts, file.annotations) {
      let expected = strtod(text, nil)
      #expect(annotation.x.bitPattern == expected.bitPattern || annotation.x == 0 && expected == 0, "\(text)")
      #expect(annotation.area == expected, "\(text)")
    }
  }

  /// Annotations come in any order; those of an image keep theirs.
  @Test func annotationsStandImageByImage() throws {
    let images = [5, 3, 9].map { "{\"id\": \($0), \"file_name\": \"\($0).jpg\", \"width\": 8, \"height\": 8}" }
    let boxes = [(1, 9), (2, 5), (3, 9), (4, 5), (0, 9)].map {
      TestData.annotation($0, image: $1, bbox: "[1, 2, 3, 4]")
    }
    // Before the images that they name.
    let text = """
      {"annotations": [\(boxes.joined(separator: ","))], "categories": [{"id": 7, "name": "cat"}],
       "images": [\(images.joined(separator: ","))]}
      """
    let annotations = try TestData.file(text).annotations
    #expect(annotations.map(\.id) == [2, 4, 1, 3, 0])
    #expect(annotations.map(\.imageID) == [5, 5, 9, 9, 9])
  }

  @Test func keysMayBeEscaped() throws {
    let image = #"{"\u0069d": 4, "file\u005fname": "a", "width": 1, "height": 1, "a key of more than 16 bytes": 0}"#
    #expect(try TestData.file(TestData.json(images: image)).images.map(\.id) == [4])
    let error = #expect(throws: COCOError.self) {
      try TestData.file(TestData.json(images: #"{"id": 4, "\u0069d": 4}"#))
    }
    #expect(error?.message == "the key 'id' stands twice in one object")
  }

  /// 20 MB come in several pieces, and the memory behind the reader is given back: lines are still counted.
  @Test func readsLongFilesInPieces() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("long-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let polygon = (0..<60).map { "\($0).25" }.joined(separator: ", ")
    let boxes = (0..<50_000).map {
      TestData.annotation($0, bbox: "[\($0).5, 2, 3, 4]", ",\n\"segmentation\": [[\(polygon)]]")
    }
    let text = TestData.json(annotations: boxes.joined(separator: ",\n"))
    try Data(text.utf8).write(to: file)
    let annotations = try AnnotationFile(reading: file.path).annotations
    #expect(annotations.map(\.id) == (0..<50_000).map { $0 })
    #expect(annotations.map(\.x) == (0..<50_000).map { Double($0) + 0.5 })
    let broken = text.dropLast(2) + "\n  x"
    try Data(broken.utf8).write(to: file)
    let error = #expect(throws: COCOError.self) { try AnnotationFile(reading: file.path) }
    #expect(error?.place == "\(file.path):100001:3")
    #expect(error?.message == "expected ',' or ']', found 'x'")
  }
}
