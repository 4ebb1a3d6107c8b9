import COCO
import Foundation
import Primitives
import Testing

@Suite struct TarArchiveTests {
  private static let files: [(name: String, content: [UInt8])] = [
    ("a.jpg", Array("first".utf8)), ("sub/b c.jpg", Array("second".utf8)), ("ni\u{f1}o.png", Array("third".utf8)),
    // Exactly one block, and one byte more.
    ("block", [UInt8](repeating: 7, count: 512)), ("more", [UInt8](repeating: 8, count: 513)),
  ]
  /// Too long for the oldest form, and for a name without a prefix.
  private static let longName = (0..<3).map { "folder\($0)" + String(repeating: "x", count: 60) }.joined(separator: "/")
  /// Of more than what POSIX' name and prefix hold.
  private static let longerName = (0..<5).map { "deep\($0)" + String(repeating: "y", count: 70) }.joined(separator: "/")

  private func read(_ name: String, in prefix: String) throws -> [UInt8] {
    try PictureSource(prefix).read(name, limit: 1 << 20)
  }

  private func found(_ names: [String], in prefix: String, _ check: PictureCheck = .names) throws -> COCOError? {
    let dataset = try TestData.dataset(
      sizes: names.map { _ in ImageSize(height: 5, width: 7) }, folder: prefix, name: { names[$0] })
    return dataset.error(of: dataset.lookUp(0..<dataset.images.count, check))
  }

  @Test(arguments: ["v7", "ustar", "gnu", "pax"]) func membersAreReadInEveryForm(_ form: String) throws {
    var files = Self.files
    if form != "v7" { files.append((Self.longName, Array("long".utf8))) }
    if form == "gnu" || form == "pax" { files.append((Self.longerName, Array("longer".utf8))) }
    let folder = try PackedFolder(files)
    try folder.tar(["--format=\(form)", "-cf", folder.path("whole.tar"), "images"])
    try FileManager.default.createDirectory(atPath: folder.path("other"), withIntermediateDirectories: true)
    try folder.tar(["--format=\(form)", "-C", "images", "-cf", folder.path("dots.tar"), "."])
    for file in files {
      let content = try read(file.name, in: folder.path("images"))
      #expect(content == file.content)
      #expect(try read("images/\(file.name)", in: folder.path("whole.tar")) == content)
      #expect(try read("images/./x/../\(file.name)", in: folder.path("whole.tar")) == content)
      #expect(try read(file.name, in: folder.path("whole.tar/images")) == content)
      #expect(try read(file.name, in: folder.path("dots.tar/")) == content)
    }
    #expect(try found(files.map(\.name), in: folder.path("dots.tar")) == nil)
  }

  @Test func theLastMemberOfANameCounts() throws {
    let folder = try PackedFolder([("a", Array("old".utf8))])
    try folder.tar(["-C", "images", "-cf", folder.path("x.tar"), "./a"])
    try folder.write(Array("newer".utf8), to: "images/a")
    try folder.tar(["-C", "images", "-rf", folder.path("x.tar"), "a"])
    #expect(try read("a", in: folder.path("x.tar")) == Array("newer".utf8))
  }

  @Test func hardLinksAreTheirFilesAndOtherLinksAreSaid() throws {
    let folder = try PackedFolder([("a.jpg", Array("x".utf8))])
    try FileManager.default.linkItem(atPath: folder.path("images/a.jpg"), toPath: folder.path("images/b.jpg"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("images/c.jpg"), withDestinationPath: "a.jpg")
    try folder.tar(["-C", "images", "-cf", folder.path("x.tar"), "."])
    for name in ["a.jpg", "b.jpg"] { #expect(try read(name, in: folder.path("x.tar")) == Array("x".utf8)) }
    let error = try found(["a.jpg", "b.jpg", "c.jpg"], in: folder.path("x.tar"))
    #expect(
      error?.message.contains("x.tar:c.jpg is a link; pack the files themselves, by tar's --dereference") == true)
    let reading = #expect(throws: COCOError.self) { try read("c.jpg", in: folder.path("x.tar")) }
    #expect(reading?.place == folder.path("x.tar:c.jpg"))
  }

  /// As where tar unpacks: the root's slash goes, and what leaves the folder is left out.
  @Test func namesThatLeaveTheFolderAreNotThere() throws {
    let folder = try PackedFolder()
    let members = Tar.member("../out", [1]) + Tar.member("/root", [2]) + Tar.member("a/../../out", [3])
    try folder.write(members + Tar.end, to: "x.tar")
    #expect(try read("root", in: folder.path("x.tar")) == [2])
    #expect(throws: COCOError.self) { try read("out", in: folder.path("x.tar")) }
    #expect(throws: COCOError.self) { try read("../out", in: folder.path("x.tar")) }
  }

  @Test func largeAndBinaryNumbersAreSizes() throws {
    let folder = try PackedFolder()
    let size: [UInt8] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]
    try folder.write(Tar.member("a", [1, 2, 3], size: size) + Tar.end, to: "x.tar")
    #expect(try read("a", in: folder.path("x.tar")) == [1, 2, 3])
    let record = Array("17 GNU.sparse.a=".utf8) + [10]
    try folder.write(Tar.member("x", record, type: "x") + Tar.member("a", [1]) + Tar.end, to: "y.tar")
    #expect(try found(["a"], in: folder.path("y.tar"))?.message.contains("y.tar:a is stored with holes") == true)
  }

  // MARK: What is wrong

  @Test func everyCutIsAnErrorWithItsPlace() throws {
    let folder = try PackedFolder()
    let archive = Tar.member("a.jpg", [UInt8](repeating: 1, count: 600)) + Tar.member("b.jpg", [2, 3]) + Tar.end
    for count in stride(from: 0, to: archive.count, by: 31) {
      try folder.write(Array(archive[..<count]), to: "x.tar")
      do {
        let content = try read("b.jpg", in: folder.path("x.tar"))
        // A block of zeros is an end.
        #expect(content == [2, 3] && count >= archive.count - 512, "\(count) bytes")
      } catch let error as COCOError {
        #expect(error.kind == .badData && error.place == folder.path("x.tar"), "\(count) bytes: \(error)")
        if count >= 512 { #expect(error.message.contains("the archive is cut short"), "\(count) bytes: \(error)") }
      }
    }
    try folder.write(Array(archive[..<1000]), to: "x.tar")
    let error = #expect(throws: COCOError.self) { try PictureSource(folder.path("x.tar")) }
    #expect(
      error?.message
        == "the archive is cut short: its member 'a.jpg' has 600 bytes from byte 512 on, but the archive ends at "
        + "byte 1000")
  }

  @Test func damageIsAnErrorOrNothing() throws {
    let folder = try PackedFolder(Self.files)
    try folder.tar(["--format=pax", "-cf", folder.path("x.tar"), "images"])
    let archive = try folder.bytes("x.tar")
    var random = KeyedRandom(seed: 4, purpose: .test)
    for _ in 0..<300 {
      var damaged = archive
      for _ in 0...random.below(4) { damaged[random.below(damaged.count)] = UInt8(random.below(256)) }
      try folder.write(damaged, to: "y.tar")
      do { _ = try read("images/a.jpg", in: folder.path("y.tar")) } catch { #expect(error is COCOError) }
    }
    var damaged = Tar.member("a", [1]) + Tar.member("b", [2]) + Tar.end
    damaged[1024] ^= 1
    try folder.write(damaged, to: "y.tar")
    let error = #expect(throws: COCOError.self) { try PictureSource(folder.path("y.tar")) }
    #expect(error?.message.hasPrefix("the archive is damaged: at byte 1024 a member's header is expected") == true)
  }

  @Test(arguments: [
    (
      [0x1f, 0x8b, 8],
      "gzip-compressed data: pictures are read from a plain tar archive only; make one with 'gunzip -k "
    ),
    ([0x28, 0xb5, 0x2f, 0xfd], "zstd-compressed data: pictures are read from a plain tar archive only; make "),
    ([0x50, 0x4b, 3, 4], "a zip archive: pictures are read from a folder or a plain tar archive; unpack it, and "),
    ([], "an empty file; a folder or a tar archive is expected"),
    (Array("hello\n".utf8), "text; a folder or a tar archive is expected"),
  ])
  func whatIsNoPlainArchiveIsSaid(_ start: [UInt8], _ message: String) throws {
    let folder = try PackedFolder()
    try folder.write(start, to: "x.tar")
    let error = #expect(throws: COCOError.self) { try PictureSource(folder.path("x.tar")) }
    #expect(error?.kind == .badData && error?.message.hasPrefix("img_prefix names \(message)") == true)
  }

  @Test(arguments: [
    ("img/a.jpg", "x.tar/images", "images/a.jpg is there: 'file_name' has the folder 'img' too many"),
    ("A.JPG", "x.tar/images", "images/a.jpg is there: upper and lower case differ"),
    ("sub\\\\b c.jpg", "x.tar/images", "images/sub/b c.jpg is there: the file says it with backslashes"),
    ("nin\u{303}o.png", "x.tar/images", "images/ni\u{f1}o.png is there: its Unicode form differs (NFC, NFD)"),
    ("a.jpg", "x.tar", "images/a.jpg is there: img_prefix or 'file_name' lacks the folder 'images'"),
    ("a.jpg", "x.tar/images/sub", "images/a.jpg is there: img_prefix has a folder too many"),
  ])
  func aNearMissIsNamed(_ name: String, _ prefix: String, _ hint: String) throws {
    let folder = try PackedFolder(Self.files)
    try folder.tar(["-cf", folder.path("x.tar"), "images"])
    let message = try found([name, "none.jpg"], in: folder.path(prefix))?.message ?? ""
    #expect(message.hasPrefix("of 2 pictures 2 not there:"))
    #expect(message.contains("(\(folder.path("x.tar")):\(hint)"), "\(message)")
  }

  @Test func missingFoldersAndArchivesAreNamed() throws {
    let folder = try PackedFolder(Self.files)
    try folder.tar(["-cf", folder.path("x.tar"), "images"])
    let inside = try found(["a.jpg"], in: folder.path("x.tar/train"))
    #expect(inside?.kind == .inputMissing)
    #expect(inside?.message.contains("x.tar' (img_prefix) has no folder 'train'") == true)
    let outside = try found(["a.jpg"], in: folder.path("y.tar"))
    #expect(outside?.kind == .inputMissing && outside?.message.contains("y.tar' (img_prefix) does not exist") == true)
  }

  // MARK: As pictures

  private static let pictures = ["rgb.png", "palette.png", "rgb.webp", "tiled.tif", "rgb.bmp", "plain.gif", "gray.png"]

  @Test func headersAndPicturesAreThoseOfTheFolder() throws {
    let folder = try PackedFolder()
    try folder.tar(["-C", TestData.fixture(""), "-cf", folder.path("x.tar"), "."])
    let prefix = folder.path("x.tar")
    #expect(try found(Self.pictures, in: prefix, .headers) == nil)
    let error = try found(["baseline.jpg", "picture.heic"], in: prefix, .headers)
    #expect(
      error?.message.contains("\(prefix):baseline.jpg: the picture is 96 x 64 pixels upright, but ") == true)
    #expect(error?.message.contains("\(prefix):picture.heic: is a HEIC picture") == true)
    func batches(_ prefix: String) throws -> [[Float]] {
      let dataset = try TestData.dataset(
        sizes: Self.pictures.map { _ in ImageSize(height: 5, width: 7) }, folder: prefix, name: { Self.pictures[$0] })
      let pipeline = try Pipeline([.randomFlip(ratio: 0.5, direction: .horizontal), .pad(sizeDivisor: 4)])
      let options = TrainingPlans.Options(seed: 8, globalBatch: 3, epochs: 20)
      let loader = Prefetcher(dataset, pipeline, plans: TrainingPlans(dataset, pipeline, options: options), workers: 4)
      var batches: [[Float]] = []
      while let batch = try loader.next() { batches.append(batch.pixels) }
      return batches
    }
    let (packed, plain) = (try batches(prefix), try batches(TestData.fixture("")))
    #expect(packed.count == 60 && packed == plain)
  }

  @Test func aBadPictureIsNamedWithItsArchive() throws {
    let folder = try PackedFolder()
    try folder.write(Tar.member("a/b.jpg", [0xff, 0xd8, 0xff]) + Tar.end, to: "x.tar")
    let dataset = try TestData.dataset(
      sizes: [ImageSize(height: 5, width: 7)], folder: folder.path("x.tar/a"), name: { _ in "b.jpg" })
    let plans = dataset.evaluationPlans(of: [0], batch: 1, try Pipeline([]))
    let error = #expect(throws: COCOError.self) {
      try Prefetcher(dataset, Pipeline([]), plans: plans, workers: 1).next()
    }
    #expect(error?.place == folder.path("x.tar:a/b.jpg"))
  }
}
