import COCO
import Testing

@Suite struct ClassCaptionsTests {
  @Test func asciiStaysAsItIs() {
    let captions = ClassCaptions(names: ["cat", "stop sign", "a/b~"], ids: [1, 2, 3])
    #expect(captions.texts == ["cat", "stop sign", "a/b~"] && captions.notice == nil)
  }

  @Test func otherScriptsAndSignsBecomeTheirCategoryID() {
    let captions = ClassCaptions(names: ["猫", "кот", "chat", "tab\tbed", "\u{1F600}", " "], ids: [7, 90, 3, 4, 5, 6])
    #expect(captions.texts == ["#7", "#90", "chat", "#4", "#5", "#6"])
    let start = "the font of drawn pictures has ASCII characters alone; there 猫 as #7, "
    #expect(captions.notice?.hasPrefix(start) == true)
    #expect(captions.notice?.contains("chat") == false)
  }

  /// Whatever their Unicode form, and not where two classes would look alike.
  @Test func accentsAreLeftAway() {
    #expect(ClassCaptions(names: ["ni\u{f1}o", "e\u{301}te\u{301}"], ids: [1, 2]).texts == ["nino", "ete"])
    #expect(ClassCaptions(names: ["côte", "cote", "coté"], ids: [1, 2, 3]).texts == ["#1", "cote", "#3"])
    #expect(ClassCaptions(names: ["cote\u{301}"], ids: [1]).notice?.contains("cote\u{301} as cote") == true)
  }

  @Test func theNoticeIsShort() {
    let names = (0..<20).map { "\($0)猫" }
    let notice = ClassCaptions(names: names, ids: names.indices.map(Int64.init)).notice
    #expect(notice?.contains("4猫 as #4, … (20 in all)") == true && notice?.contains("5猫") == false)
  }
}
