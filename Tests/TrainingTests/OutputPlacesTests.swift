import Testing
import Training

@Suite struct OutputPlacesTests {
  private func names(_ inputs: String...) -> [String] { OutputPlaces(of: inputs, in: "out").names }

  @Test func picturesKeepTheirNamesBelowTheFoldersThatDiffer() {
    #expect(names("images/000.jpg") == ["000.jpg"])
    #expect(names("a/x/1.jpg", "a/x/2.png") == ["1.jpg", "2.png"])
    #expect(names("images/000.jpg", "sub/000.jpg") == ["images/000.jpg", "sub/000.jpg"])
    #expect(names("a/1.jpg", "a/b/1.jpg", "a/b/c/1.png") == ["1.jpg", "b/1.jpg", "b/c/1.png"])
    #expect(names("a/1.jpg", "a/1.png", "a/1.PNG") == ["1.jpg", "1.png", "1-2.PNG"])
    #expect(names("/data/a/1.jpg", "/data/./b/../b/1.jpg") == ["a/1.jpg", "b/1.jpg"])
    #expect(names("../1.jpg", "../../1.jpg").allSatisfy { !$0.contains("..") })
  }

  @Test func otherEndingsBecomePNG() {
    #expect(names("a.bmp", "a", "a.gif") == ["a.bmp.png", "a.png", "a.gif.png"])
    #expect(names("a.bmp", "a.bmp.png") == ["a.bmp.png", "a.bmp-2.png"])
  }

  /// Disks that don't tell cases and Unicode forms apart would lose a picture.
  @Test func namesThatSomeDisksTakeForOne() {
    #expect(names("d/a.jpg", "D/A.jpg", "d/A.jpg") == ["d/a.jpg", "D/A-2.jpg", "d/A-3.jpg"])
    let alike = names("ni\u{f1}o.jpg", "nin\u{303}o.jpg")
    #expect(alike.last == "nin\u{303}o-2.jpg")
  }
}
