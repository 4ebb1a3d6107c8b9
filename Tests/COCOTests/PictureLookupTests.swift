import COCO
import Foundation
import Primitives
import Testing

@Suite struct PictureLookupTests {
  private func dataset(_ names: [String], in folder: String, size: ImageSize? = nil) throws -> CocoDataset {
    let sizes = names.map { _ in size ?? ImageSize(height: 48, width: 64) }
    return try TestData.dataset(sizes: sizes, folder: folder) { names[$0].replacing("\\", with: "\\\\") }
  }

  private func found(_ dataset: CocoDataset, _ check: PictureCheck = .names) -> COCOError? {
    dataset.error(of: dataset.lookUp(0..<dataset.images.count, check))
  }

  @Test func picturesThatAreThereAreNoError() throws {
    let folder = try FileTree(["images/a.jpg", "images/sub/b.jpg"])
    let dataset = try dataset(["a.jpg", "sub/b.jpg"], in: "\(folder.root)/images/")
    #expect(found(dataset) == nil)
    #expect(found(dataset, .none) == nil)
    #expect(found(dataset, .headers)?.message.contains("of 2 pictures 2 not readable as pictures") == true)
  }

  @Test func missingOnesAreCountedAndTheFirstNamed() throws {
    let folder = try FileTree(["images/3.jpg", "images/5.jpg/x"])
    let names = (0..<9).map { "\($0).jpg" }
    let dataset = try dataset(names, in: "\(folder.root)/images")
    let error = try #require(found(dataset))
    #expect(error.kind == .inputMissing && error.place == "a.json")
    let lines = error.message.split(separator: "\n").map(String.init)
    #expect(lines.first == "of 9 pictures 7 not there, 1 not readable as pictures:")
    #expect(lines.dropFirst().first == "  image 5: \(folder.root)/images/0.jpg")
    #expect(lines.contains("  image 55: \(folder.root)/images/5.jpg is a folder, not a file"))
    #expect(lines.last == "  … and 2 more" && lines.count == 8)
  }

  @Test func theFolderItselfIsNamed() throws {
    let folder = try FileTree(["x"])
    let error = found(try dataset(["a.jpg", "b.jpg"], in: "\(folder.root)/none"))
    #expect(error?.message.contains("\n  the folder '\(folder.root)/none' (img_prefix) does not exist\n") == true)
  }

  @Test func reportsOfRanksAreOneInTheOrderOfTheImages() throws {
    let folder = try FileTree(["images/x.jpg"])
    let dataset = try dataset((0..<20).map { "\($0).jpg" }, in: "\(folder.root)/images")
    let whole = dataset.lookUp(0..<20, .names)
    let parts = [0..<3, 3..<3, 3..<20].map { dataset.lookUp($0, .names) }
    #expect(PictureReport(parts, hosts: ["a", "a", "a"]) == whole)
    let message = dataset.error(of: PictureReport(parts, hosts: ["a", "a", "b"]))?.message ?? ""
    #expect(message.contains("0.jpg [on a]") && message.contains("3.jpg [on b]"))
  }

  struct NearMiss: CustomTestStringConvertible, Sendable {
    let name: String
    let onDisk: String
    var folder = "images"
    let hint: String

    var testDescription: String { name }
  }

  @Test(arguments: [
    NearMiss(name: "img/0.jpg", onDisk: "images/Img/0.JPG", hint: ": upper and lower case differ"),
    NearMiss(name: "sub\\3-shot.png", onDisk: "images/sub/3-shot.png", hint: ": the file says it with backslashes"),
    NearMiss(
      name: "images\\A.png", onDisk: "images/a.png",
      hint:
        ": the file says it with backslashes; 'file_name' has the folder 'images' too many; upper and lower case differ"
    ),
    NearMiss(name: "a%2Bb.jpg", onDisk: "images/a+b.jpg", hint: ": the file says it percent-encoded"),
    NearMiss(
      name: "up%5Cpage_1.png", onDisk: "images/up/page_1.png",
      hint: ": the file says it percent-encoded and with backslashes"),
    NearMiss(name: "ni\u{f1}o.jpg", onDisk: "images/nin\u{303}o.jpg", hint: ": its Unicode form differs (NFC, NFD)"),
    NearMiss(name: "1/a.jpg", onDisk: "images/a.jpg", hint: ": 'file_name' has the folder '1' too many"),
    NearMiss(name: "up/1/a.jpg", onDisk: "images/up/a.jpg", hint: ": 'file_name' has the folder '1' too many"),
    NearMiss(name: "a.jpg", onDisk: "images/train/a.jpg", hint: ": img_prefix or 'file_name' lacks the folder 'train'"),
    NearMiss(name: "a.jpg", onDisk: "images/a.jpg", folder: "images/train", hint: ": img_prefix has a folder too many"),
    NearMiss(name: "a.jpg", onDisk: "images/val/a.jpg", folder: "images/train", hint: ": in another folder"),
  ])
  func aNearMissIsNamed(_ miss: NearMiss) throws {
    let folder = try FileTree([miss.onDisk, "\(miss.folder)/other.jpg"])
    let error = found(try dataset([miss.name], in: "\(folder.root)/\(miss.folder)"))
    let message = error?.message ?? ""
    #expect(message.hasSuffix(" (\(folder.root)/\(miss.onDisk) is there\(miss.hint))"), "\(message)")
  }

  @Test func aNameThatLeavesTheFolderOnceDecodedIsNotFollowed() throws {
    let folder = try FileTree(["secret.jpg", "images/a.jpg"])
    let error = found(try dataset(["%2e%2e/secret.jpg"], in: "\(folder.root)/images"))
    #expect(error?.message.contains("percent") == false)
  }

  @Test func aLinkToNothingIsSaid() throws {
    let folder = try FileTree(["images/a.jpg"])
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.root)/images/b.jpg", withDestinationPath: "nowhere.jpg")
    let message = found(try dataset(["b.jpg"], in: "\(folder.root)/images"))?.message ?? ""
    #expect(message.hasSuffix("b.jpg (a link to a file that does not exist)"))
  }

  // MARK: Headers

  @Test(
    arguments: (1...8).map { "orientation_\($0).jpg" }
      + ["baseline.jpg", "progressive.jpg", "rgb.png", "gray16.png", "orientation_6.webp", "animated.webp"]
      + ["lossy.webp", "rgb.tif", "tiled.tif", "planar.tif", "rgb.bmp", "topdown.bmp", "os2.bmp", "plain.gif"])
  func aHeaderHasTheSizeOfThePicture(_ name: String) throws {
    let size = try ImageDecoder.decode(TestData.fixture(name)).size
    #expect(try found(dataset([name], in: TestData.fixture(""), size: size), .headers) == nil)
    let wider = ImageSize(height: size.height, width: size.width + 1)
    let error = found(try dataset([name], in: TestData.fixture(""), size: wider), .headers)
    #expect(error?.kind == .badData && error?.message.contains("1 of another size than the file says") == true)
  }

  @Test(arguments: [
    ("baseline.jpg", 64, 96, "(width and height are swapped)"),
    (
      "orientation_6.jpg", 16, 32,
      "(its size before the EXIF rotation; mpi.exif: ignore takes pictures as they are stored)"
    ),
    ("baseline.jpg", 288, 192, "(3.0 times the picture's size: were the pictures resized?)"),
    ("baseline.jpg", 48, 32, "(0.50 times the picture's size: were the pictures resized?)"),
  ])
  func theWayInWhichASizeDiffersIsSaid(_ name: String, _ width: Int, _ height: Int, _ reason: String) throws {
    let size = ImageSize(height: height, width: width)
    let error = found(try dataset([name], in: TestData.fixture(""), size: size), .headers)
    #expect(error?.message.hasSuffix("the annotation file says \(width) x \(height) \(reason)") == true)
  }

  @Test func whatIsStoredCountsWhereOrientationIsIgnored() throws {
    func found(_ width: Int, _ height: Int) throws -> COCOError? {
      var rules = PictureRules()
      rules.exif = .ignore
      let size = ImageSize(height: height, width: width)
      let dataset = try TestData.dataset(sizes: [size], folder: TestData.fixture(""), rules: rules) { _ in
        "orientation_6.jpg"
      }
      return self.found(dataset, .headers)
    }
    #expect(try found(16, 32) == nil)
    let message = try found(32, 16)?.message ?? ""
    #expect(
      message.hasSuffix(
        "the picture is 16 x 32 pixels as it is stored, but the annotation file says 32 x 16 (its size after the EXIF "
          + "rotation; mpi.exif: apply follows it)"))
  }

  @Test func aPictureThatIsTooLargeIsRefusedFromTheFile() throws {
    var rules = PictureRules()
    rules.maximumPixels = 3071
    let error = #expect(throws: COCOError.self) {
      try TestData.dataset(sizes: [ImageSize(height: 48, width: 64)], rules: rules)
    }
    let message = "image 5: its size is 64 x 48: more than 3071 pixels are refused: cut large pictures into tiles"
    #expect(error?.message.hasPrefix(message) == true)
  }

  @Test func whatIsNoPictureIsSaid() throws {
    let error = found(try dataset(["picture.heic"], in: TestData.fixture("")), .headers)
    #expect(error?.message.contains("picture.heic: is a HEIC picture; convert it to JPEG or PNG, for ") == true)
  }
}
