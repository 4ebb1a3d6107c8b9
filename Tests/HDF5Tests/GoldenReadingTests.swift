import HDF5
import TestSupport
import Testing

@Suite struct GoldenReadingTests {
  @Test func readsCasesAttributesAndNumbers() throws {
    let cases = try GoldenCase.all("coder")
    #expect(cases[0].title == "encode rpn")
    #expect(cases[0].numbers("target_stds") == [1, 1, 1, 1])
    #expect(try cases[0].members("inputs").isEmpty == false)
  }

  @Test func aMissingFileIsAnError() {
    #expect(throws: HDF5Error.self) { try HDF5File(reading: "/nowhere.h5") }
  }
}
