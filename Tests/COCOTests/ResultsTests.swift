import COCO
import Foundation
import Testing

@Suite struct ResultsTests {
  private let directory = FileManager.default.temporaryDirectory.path + "/results-\(UUID().uuidString)"

  init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

  private func detection(_ x: Double, score: Double, label: Int = 1) -> EvaluationDetection {
    EvaluationDetection(
      imageID: 391_895, label: label, box: EvaluationBox(x: x, y: 1e-7, width: 1 / 3, height: 12345.678), score: score)
  }

  private func message(_ text: String) throws -> String {
    let path = directory + "/results.json"
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    let result = Result { try ResultsFile.read(path, categoryIDs: [7, 3]) }
    guard case .failure(let error) = result else { return "no error" }
    return "\(error)".replacingOccurrences(of: directory + "/", with: "")
  }

  @Test func roundTrip() throws {
    let path = directory + "/detections.json"
    let detections = [
      detection(Double(Float(0.1)), score: Double(Float(0.987_654_3))), detection(-3, score: 1e-9, label: 0),
    ]
    try ResultsFile.write(detections, categoryIDs: [7, 3], to: path)
    #expect(try ResultsFile.read(path, categoryIDs: [7, 3]) == detections)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["detections.json"])
    try ResultsFile.write([], categoryIDs: [], to: path)
    #expect(try ResultsFile.read(path, categoryIDs: []) == [])
  }

  @Test func format() throws {
    let path = directory + "/detections.json"
    let box = EvaluationBox(x: 1, y: 2.5, width: 3, height: 4)
    let detection = EvaluationDetection(imageID: 42, label: 1, box: box, score: 0.5)
    try ResultsFile.write([detection, detection], categoryIDs: [7, 3], to: path)
    let line = #"{"image_id":42,"category_id":3,"bbox":[1.0,2.5,3.0,4.0],"score":0.5}"#
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "[\n\(line),\n\(line)\n]\n")
  }

  @Test func errors() throws {
    #expect(
      try message(#"[{"image_id":1,"category_id":9,"bbox":[1,2,3,4],"score":0.5}]"#)
        == "results.json: error: entry 0 has category 9, which is none of 7, 3")
    #expect(
      try message(#"[{"image_id":1,"category_id":7,"bbox":[1,2,3],"score":0.5}]"#)
        == "results.json: error: entry 0 has a bbox of 3 numbers, not 4: x, y, width, height")
    #expect(
      try message(#"[{"image_id":1,"category_id":7,"bbox":[1,2,3,4]}]"#)
        == "results.json: error: entry 0 has no 'score'")
    #expect(
      try message(#"[{"image_id":1,"category_id":7,"bbox":[1,2,3,4],"score":"high"}]"#)
        == "results.json: error: entry 0, 'score', is not of the expected kind (Double)")
    #expect(
      try message(#"{"images":[]}"#)
        == "results.json: error: the file, expected to be a list, is not of the expected kind (Array<Any>)")
    #expect(try message("[").hasPrefix("results.json: error: it is not a JSON list of detections: "))
  }

  @Test func missingFile() {
    let path = directory + "/none.json"
    let error = #expect(throws: ResultsError.self) { try ResultsFile.read(path, categoryIDs: []) }
    #expect(error?.description == "\(path): error: the file cannot be read: No such file or directory")
  }

  @Test func missingDirectory() {
    let path = directory + "/none/detections.json"
    let error = #expect(throws: OutputError.self) { try ResultsFile.write([], categoryIDs: [], to: path) }
    #expect(error?.description == "\(path): error: the file cannot be written: No such file or directory")
  }

  @Test func notFinite() {
    let path = directory + "/nan.json"
    let error = #expect(throws: ResultsError.self) {
      try ResultsFile.write([detection(1, score: .nan)], categoryIDs: [7, 3], to: path)
    }
    #expect(error?.reason.hasPrefix("a detection in image 391895 is not finite: box and score [1.0, ") == true)
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
