import COCO
import Foundation
import Primitives
import Testing

@Suite struct PictureInputsTests {
  /// What arguments below a folder give, as paths below it.
  private func paths(
    _ arguments: String..., in tree: FileTree, isRecursive: Bool = false, out: String = "out"
  ) throws -> [String] {
    try inputs(arguments, in: tree, isRecursive: isRecursive, out: out).paths.map {
      $0.replacingOccurrences(of: "\(tree.root)/", with: "")
    }
  }

  private func inputs(
    _ arguments: [String], in tree: FileTree, isRecursive: Bool = false, out: String = "out"
  ) throws -> PictureInputs {
    try PictureInputs(
      arguments.map { "\(tree.root)/\($0)" }, isRecursive: isRecursive, leavingOut: "\(tree.root)/\(out)")
  }

  @Test func aFolderGivesItsPicturesByName() throws {
    let tree = try FileTree(
      ["a/10.jpg", "a/9.PNG", "a/b/1.jpg", "a/notes.txt", "a/.hidden.jpg", "a/é.jpeg", "a/Z.webp"])
    try FileManager.default.copyItem(atPath: TestData.fixture("baseline.jpg"), toPath: "\(tree.root)/a/noending")
    #expect(try paths("a", in: tree) == ["a/10.jpg", "a/9.PNG", "a/Z.webp", "a/noending", "a/é.jpeg"])
    #expect(try paths("a/", in: tree, isRecursive: true).contains("a/b/1.jpg"))
    let notices = try inputs(["a"], in: tree).notices
    #expect(
      notices == [
        "\(tree.root)/a: 5 pictures; passed over: 1 file that is no picture (\(tree.root)/a/notes.txt), "
          + "1 folder (--recursive looks into it)"
      ])
  }

  /// A file that is named is taken whatever it is.
  @Test func filesAreTakenInTheirOrderAndOnce() throws {
    let tree = try FileTree(["b.jpg", "a.jpg", "notes.txt", "d/c.jpg"])
    #expect(
      try paths("b.jpg", "a.jpg", "notes.txt", "b.jpg", "./d/../a.jpg", "d", "d//c.jpg", in: tree)
        == ["b.jpg", "a.jpg", "notes.txt", "d/c.jpg"])
    let notices = try inputs(["b.jpg", "b.jpg", "d", "d/c.jpg"], in: tree).notices
    #expect(notices.last == "2 of the pictures are named again: each is taken once")
  }

  @Test func patterns() throws {
    let tree = try FileTree(["a/1.jpg", "a/2.png", "a/x.txt", "b/1.jpg", "b/c/3.jpg", "b/[1].jpg", "b/{c}/4.jpg"])
    #expect(try paths("*/1.jpg", in: tree) == ["a/1.jpg", "b/1.jpg"])
    #expect(try paths("a/*", in: tree) == ["a/1.jpg", "a/2.png"])
    #expect(try paths("a/?.{png,jpg}", in: tree) == ["a/1.jpg", "a/2.png"])
    #expect(try paths("**/*.jpg", in: tree) == ["a/1.jpg", "b/1.jpg", "b/[1].jpg", "b/c/3.jpg", "b/{c}/4.jpg"])
    #expect(try paths("b/**/3.jpg", in: tree) == ["b/c/3.jpg"])
    // Folders that match give their pictures, and a file of that very name is no pattern.
    #expect(try paths("[ab]", in: tree) == ["a/1.jpg", "a/2.png", "b/1.jpg", "b/[1].jpg"])
    #expect(try paths("b/[1].jpg", in: tree) == ["b/[1].jpg"])
    let none = #expect(throws: COCOError.self) { try paths("*/*.bmp", in: tree) }
    #expect(none?.kind == .inputMissing && none?.message == "no picture matches this pattern")
  }

  /// Results of an earlier run are no inputs, unless they are named.
  @Test func theOutputFolderIsLeftOut() throws {
    let tree = try FileTree(["1.jpg", "out/1.jpg", "out/sub/2.jpg"])
    #expect(try paths("", in: tree, isRecursive: true) == ["1.jpg"])
    #expect(try paths("**/*.jpg", in: tree) == ["1.jpg"])
    #expect(try paths("*/*.jpg", "1.jpg", "out", in: tree, out: "other") == ["out/1.jpg", "1.jpg"])
    #expect(try paths("out/1.jpg", in: tree) == ["out/1.jpg"])
    #expect(try paths("out/*.jpg", in: tree) == ["out/1.jpg"])
  }

  @Test func namesThatDifferInTheirUnicodeFormAloneAreTwo() throws {
    let tree = try FileTree(["a/ni\u{f1}o.jpg", "a/nin\u{303}o.jpg"])
    #expect(try paths("a", in: tree).count == 2)
    #expect(try paths("a/*.jpg", in: tree).count == 2)
  }

  @Test func linksToFoldersAreNotFollowed() throws {
    let tree = try FileTree(["a/1.jpg", "b/2.jpg"])
    try FileManager.default.createSymbolicLink(atPath: "\(tree.root)/a/back", withDestinationPath: "..")
    try FileManager.default.createSymbolicLink(atPath: "\(tree.root)/a/3.jpg", withDestinationPath: "../b/2.jpg")
    #expect(try paths("a", in: tree, isRecursive: true) == ["a/1.jpg", "a/3.jpg"])
    #expect(try paths("a/**/*.jpg", in: tree) == ["a/1.jpg", "a/3.jpg"])
  }

  @Test func allThatAreMissingAreListed() throws {
    let tree = try FileTree(["a/1.JPG", "b/x.txt", "c/d/1.jpg"])
    try FileManager.default.createSymbolicLink(atPath: "\(tree.root)/nowhere.jpg", withDestinationPath: "none")
    let error = #expect(throws: COCOError.self) {
      try inputs(["a/1.JPG", "a/1.jpg", "none.jpg", "nowhere.jpg", "b", "c"], in: tree)
    }
    #expect(error?.kind == .inputMissing && error?.place == "predict")
    #expect(
      error?.message == """
        5 of 6 inputs can't be used, and nothing was begun:
          \(tree.root)/a/1.jpg: the file does not exist (\(tree.root)/a/1.JPG is there: upper and lower case differ)
          \(tree.root)/none.jpg: the file does not exist
          \(tree.root)/nowhere.jpg: the file does not exist (it is a link that leads nowhere)
          \(tree.root)/b: no picture is in this folder; there is 1 file that is no picture (\(tree.root)/b/x.txt)
          \(tree.root)/c: no picture is in this folder; there is 1 folder (--recursive looks into it)
        """)
    let one = #expect(throws: COCOError.self) { try inputs(["a/1.JPG", "none.jpg"], in: tree) }
    #expect(one?.description == "\(tree.root)/none.jpg: error: the file does not exist")
    let many = #expect(throws: COCOError.self) { try inputs((0..<30).map { "\($0).jpg" }, in: tree) }
    #expect(many?.message.hasSuffix("\n  … and 10 more") == true)
  }
}
