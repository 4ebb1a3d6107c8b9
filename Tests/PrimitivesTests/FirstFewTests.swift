import Primitives
import Testing

@Suite struct FirstFewTests {
  @Test func wordsEndInDotsWhereThereAreMore() {
    #expect(FirstFew.words(["a", "b"], most: 2) == "a, b")
    #expect(FirstFew.words(["a", "b", "c"], most: 2) == "a, b, …")
    #expect(FirstFew.words(["a", "b"], most: 2, of: 9) == "a, b, …")
    #expect(FirstFew.words([], most: 2) == "")
  }

  @Test func countedWordsSayHowManyThereAre() {
    #expect(FirstFew.counted(["a", "b"], most: 2) == "a, b")
    #expect(FirstFew.counted(["a", "b", "c"], most: 2) == "a, b, … (3 in all)")
  }

  @Test func linesSayHowManyAreLeftOut() {
    #expect(FirstFew.lines(["a", "b"], most: 2) == "\n  a\n  b")
    #expect(FirstFew.lines(["a", "b", "c"], most: 2) == "\n  a\n  b\n  … and 1 more")
    #expect(FirstFew.lines(["a"], most: 1, of: 5) == "\n  a\n  … and 4 more")
  }
}
