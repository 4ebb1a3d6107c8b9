import Primitives
import Testing

@Suite struct FolderTests {
  @Test(arguments: [
    ("a/b", "a"), ("a/b/", "a"), ("a//b", "a"), ("ab/c/d", "ab/c"), ("a", ""), ("ab", ""), ("a/", ""), ("", ""),
    ("/a", "/"), ("/ab/c", "/ab"), ("//a", "/"), ("/", "/"), ("//", "/"), ("./a", "."), ("../a", ".."), ("é", ""),
  ])
  func theFolderAbove(_ path: String, _ expected: String) { #expect(Folder.above(path) == expected) }
}
