import Foundation
import Primitives

/// Detections in COCO's results format, which every COCO tool reads:
/// `[{"image_id": 42, "category_id": 18, "bbox": [x, y, width, height], "score": 0.98}, …]`, boxes in pixels.
public enum ResultsFile {
  private struct Entry: Decodable {
    let image_id: FileIdentifier
    let category_id: Int64
    let bbox: [Double]
    let score: Double
  }

  /// Writes the file under a new name and renames it, so that it is never seen half written. Numbers have all their
  /// digits: whoever reads the file computes the same statistics.
  /// - Parameters:
  ///   - detections: in the order in which they are written.
  ///   - categoryIDs: the category of each label.
  ///   - identifier: an image's id as the annotation file writes it.
  ///   - path: of the file.
  /// - Throws: `ResultsError` for numbers that are not finite, `OutputError` where the file cannot be written.
  public static func write(
    _ detections: [EvaluationDetection], categoryIDs: [Int64],
    identifier: (Int64) -> FileIdentifier = FileIdentifier.number, to path: String
  ) throws {
    let entries = try detections.map {
      try entry($0, identifier($0.imageID), categoryID: categoryIDs[$0.label], path: path)
    }
    let text = JSON.array(entries).lines(.compact, indentation: "")
    try OutputError.orWrite(Array(text.utf8), to: path, safety: .synced)
  }

  private static func entry(
    _ detection: EvaluationDetection, _ image: FileIdentifier, categoryID: Int64, path: String
  ) throws -> JSON {
    let box = detection.box
    let numbers = [box.x, box.y, box.width, box.height, detection.score]
    guard numbers.allSatisfy(\.isFinite) else {
      throw ResultsError(
        path: path, reason: "a detection in image \(image) is not finite: box and score \(numbers)")
    }
    return .object([
      ("image_id", image.json), ("category_id", .integer(Int(categoryID))),
      ("bbox", .array(numbers.prefix(4).map(JSON.number))), ("score", .number(detection.score)),
    ])
  }

  /// Reads a file of this format, whoever wrote it.
  /// - Parameters:
  ///   - path: of the file.
  ///   - categoryIDs: the category of each label; any other category is an error.
  ///   - imageID: an image's number, given its id as files write it; nil where there is no such image, which is an error.
  /// - Throws: `ResultsError` with the place and what was expected.
  public static func read(
    _ path: String, categoryIDs: [Int64], imageID: (FileIdentifier) -> Int64? = { $0.number }
  ) throws -> [EvaluationDetection] {
    let labels = Dictionary(uniqueKeysWithValues: zip(categoryIDs, categoryIDs.indices))
    return try entries(path).enumerated().map { index, entry in
      guard entry.bbox.count == 4 else {
        throw ResultsError(
          path: path, reason: "entry \(index) has a bbox of \(entry.bbox.count) numbers, not 4: x, y, width, height")
      }
      guard let label = labels[entry.category_id] else {
        let known = categoryIDs.map(String.init).joined(separator: ", ")
        throw ResultsError(
          path: path, reason: "entry \(index) has category \(entry.category_id), which is none of \(known)")
      }
      guard let image = imageID(entry.image_id) else {
        throw ResultsError(
          path: path, reason: "entry \(index) is of image \(entry.image_id), which the data set doesn't have")
      }
      let box = EvaluationBox(x: entry.bbox[0], y: entry.bbox[1], width: entry.bbox[2], height: entry.bbox[3])
      return EvaluationDetection(imageID: image, label: label, box: box, score: entry.score)
    }
  }

  private static func entries(_ path: String) throws -> [Entry] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ResultsError(path: path, reason: "the file cannot be read: \(String(cString: strerror(errno)))")
    }
    do {
      return try JSONDecoder().decode([Entry].self, from: data)
    } catch {
      throw ResultsError(path: path, reason: describe(error))
    }
  }

  private static func describe(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, let context): "\(place(context)) has no '\(key.stringValue)'"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      "\(place(context)) is not of the expected kind (\(type))"
    default: "it is not a JSON list of detections: \(error)"
    }
  }

  private static func place(_ context: DecodingError.Context) -> String {
    guard let index = context.codingPath.first?.intValue else { return "the file, expected to be a list," }
    let key = context.codingPath.dropFirst().first.map { ", '\($0.stringValue)'," } ?? ""
    return "entry \(index)\(key)"
  }
}

/// A results file that cannot be used.
public struct ResultsError: ReportedError, Equatable {
  public let path: String
  public let reason: String

  public var description: String { "\(path): error: \(reason)" }
  public var exitCode: ExitCode { .badData }
  /// Rank 0 alone reads and writes them.
  public var scope: ErrorScope { .allRanks }
}
