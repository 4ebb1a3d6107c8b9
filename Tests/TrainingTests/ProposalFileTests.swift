import COCO
import Foundation
import HDF5
import Primitives
import Testing
import Training

/// Files of proposals: pickles that Python wrote with NumPy 1 and 2, and what is written here.
@Suite struct ProposalFileTests {
  private let scratch: Scratch
  private let file: AnnotationFile

  init() throws {
    scratch = try Scratch()
    file = try Self.annotations(ids: [7, 3, 9])
  }

  private static func annotations(ids: [Int]) throws -> AnnotationFile {
    let images = ids.map { #"{"id": \#($0), "file_name": "\#($0).jpg", "width": 64, "height": 48}"# }
    let text =
      #"{"images": [\#(images.joined(separator: ","))], "annotations": [], "categories": [{"id": 1, "name": "a"}]}"#
    return try AnnotationFile(path: "a.json", bytes: Array(text.utf8))
  }

  private static func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name).pkl").path
  }

  private func boxes(_ path: String, most: Int? = nil) throws -> [[Box]] {
    let block = try ProposalFile.read(ProposalUse(file: path, numMaxProposals: most), for: file)
    return (0..<block.imageCount).map(block.boxes)
  }

  private static let expected = [
    [Box(1.5, 2, 30.25, 40), Box(3, 4, 5, 6)], [], [Box(200, 129, 255, 191)],
  ]

  @Test(arguments: [1, 2], [2, 3, 4, 5])
  func picklesOfEveryProtocolAreRead(_ numpy: Int, _ number: Int) throws {
    #expect(try boxes(Self.fixture("proposals_np\(numpy)_protocol\(number)")) == Self.expected)
  }

  /// The first array lies column by column.
  @Test(arguments: [1, 2]) func otherLayoutsAreRead(_ numpy: Int) throws {
    let expected = [[Box(0, 1.25, 2.5, 3.75), Box(5, 6.25, 7.5, 8.75)], [Box(1, 2, 3, 4)], []]
    #expect(try boxes(Self.fixture("proposals_np\(numpy)_float64")) == expected)
    let shared = try boxes(Self.fixture("proposals_np\(numpy)_shared"))
    #expect(shared == [Self.expected[0], [], Self.expected[0]])
  }

  @Test func theFirstAreTaken() throws {
    let path = Self.fixture("proposals_np1_protocol2")
    #expect(try boxes(path, most: 1).map(\.count) == [1, 0, 1])
  }

  private var rows: [(id: FileIdentifier, rows: [Float])] {
    file.images.enumerated().map { index, image in
      (file.imageIdentifier(image.id), Self.expected[index].flatMap { [$0.x1, $0.y1, $0.x2, $0.y2, 0.5] })
    }
  }

  @Test(arguments: ["p.pkl", "p.h5"]) func whatIsWrittenIsReadAgain(_ name: String) throws {
    let path = "\(scratch.path)/\(name)"
    try ProposalFile.write(rows, #require(ProposalFile.format(of: path)), to: path)
    #expect(try boxes(path) == Self.expected)
  }

  private func message(_ bytes: [UInt8], images: [Int] = [7, 3, 9]) throws -> String {
    let path = "\(scratch.path)/p.bin"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let error = try #require(throws: COCOError.self) {
      _ = try ProposalFile.read(ProposalUse(file: path), for: Self.annotations(ids: images))
    }
    #expect(error.place == path)
    return error.message
  }

  private func fixtureBytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: Self.fixture(name))))
  }

  @Test func wrongFilesAreRefusedWithTheirPlace() throws {
    let good = try fixtureBytes("proposals_np2_protocol3")
    #expect(try message(good, images: [1, 2]).hasPrefix("it holds proposals for 3 images, but a.json has 2; expected"))
    #expect(try message(Array(good.dropLast(9))) == "the file was cut off or is damaged")
    #expect(try message(Array("[[1, 2, 3, 4]]".utf8)).contains("expected proposals: a pickle or an HDF5 file"))
    #expect(try message(Array([0x80, 2] + "}.".utf8)).hasPrefix("it holds no list"))
    #expect(
      try message(Array([0x80, 2] + "](K\u{1}K\u{2}K\u{3}e.".utf8)).contains("of image 7, number 1, is no array"))
    let value = try #require(good.firstRange(of: [0, 0, 0xc0, 0x3f]))
    var changed = good
    changed.replaceSubrange(value, with: [0, 0, 0xc0, 0x7f])
    #expect(try message(changed) == "the array of image 7, number 1, has a box that is not finite, in row 0")
    // Four-byte numbers by name, of which the array then has too few bytes.
    let type = try #require(good.firstRange(of: Array("f4".utf8)))
    changed = good
    changed.replaceSubrange(type, with: Array("f8".utf8))
    #expect(try message(changed).hasPrefix("it holds an array of the shape [2, 5] that has 40 bytes"))
    changed.replaceSubrange(type, with: Array("O8".utf8))
    #expect(try message(changed).hasPrefix("it holds an array of type 'O8'"))
  }

  @Test func wrongHDF5FilesAreRefused() throws {
    func image(_ names: [String], shape: [Int] = [1, 4]) throws -> [UInt8] {
      let writer = try HDF5Writer()
      for name in names {
        try writer.write([Float](repeating: 1, count: shape.reduce(1, *)), shape: shape, to: "/\(name)")
      }
      return try writer.image()
    }
    #expect(try message(image(["7", "3"])).hasPrefix("it holds proposals for 2 images, but a.json has 3"))
    #expect(try message(image(["7", "3", "8"])).hasPrefix("it has no data set '9'"))
    #expect(
      try message(image(["7", "3", "9"], shape: [2, 3]))
        == "the data set of image 7 has the shape [2, 3], expected [n, 4] or [n, 5]")
  }

  /// What a pickle would run stays a name.
  @Test func nothingIsRun() throws {
    let pickle = [0x80, 2] + Array("](cos\nsystem\nX\u{4}\0\0\0exit".utf8) + [0x85] + Array("RNNe.".utf8)
    #expect(try message(pickle).contains("number 1, is no array"))
  }
}
