import Foundation
import Primitives
import Testing

@Suite struct JSONTests {
  @Test func everyKindOfValue() {
    let value = JSON.object([
      ("a", .null), ("b", .boolean(true)), ("c", .integer(-7)), ("d", .unsigned(.max)), ("e", .number(0.1)),
      ("f", .decimal(2, digits: 3)), ("g", .array([.text("x"), .array([]), .object([])])),
    ])
    #expect(
      value.text()
        == #"{"a": null, "b": true, "c": -7, "d": 18446744073709551615, "e": 0.1, "f": 2.000, "g": ["x", [], {}]}"#)
    #expect(JSON.array([.integer(1), .object([("a", .integer(2))])]).text(.compact) == #"[1,{"a":2}]"#)
  }

  @Test func linesForTheParts() {
    #expect(
      JSON.object([("a", .integer(1)), ("b", .array([.integer(2)]))]).lines() == "{\n  \"a\": 1,\n  \"b\": [2]\n}\n")
    #expect(JSON.array([.integer(1), .integer(2)]).lines(indentation: "") == "[\n1,\n2\n]\n")
    #expect(JSON.array([]).lines() == "[\n\n]\n")
  }

  @Test func numbersKeepTheirDigitsUnlessAskedOtherwise() throws {
    for value: Double in [
      0.1, 1 / 3, .leastNonzeroMagnitude, 1.7976931348623157e308, -0.0, 1e16, 123_456_789.125, 1e-5,
    ] {
      let text = JSON.array([.number(value)]).text()
      let read = try JSONDecoder().decode([Double].self, from: Data(text.utf8))
      #expect(read[0].bitPattern == value.bitPattern, "\(text)")
    }
    #expect(JSON.number(1.0 / 3).text(.log) == "0.333333333")
    #expect(JSON.number(0.000012345678912).text(.log) == "1.23456789e-05")
  }

  @Test func whatIsNotFiniteIsNull() {
    let values: [JSON] = [.number(.nan), .number(.infinity), .number(-.infinity), .decimal(.nan, digits: 2)]
    #expect(JSON.array(values).text() == "[null, null, null, null]")
    #expect(JSON.array(values).text(.log) == "[null, null, null, null]")
  }

  @Test func textsAreEscapedWhereTheyMustBe() throws {
    let text = "a/b \"c\" \\ \n\r\t\u{1}\u{1f} äöü 猫 \u{1F600}"
    let written = JSON.array([.text(text)]).text()
    #expect(written == "[\"a/b \\\"c\\\" \\\\ \\n\\r\\t\\u0001\\u001f äöü 猫 \u{1F600}\"]")
    #expect(try JSONDecoder().decode([String].self, from: Data(written.utf8)) == [text])
  }
}
