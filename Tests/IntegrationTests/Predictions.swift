import Foundation

/// `predictions.json`.
struct Predictions: Decodable {
  struct Category: Decodable {
    let id: Int
    let name: String
  }

  struct Image: Decodable {
    let id: Int
    let file_name: String
    let width: Int
    let height: Int
    let drawn: String
  }

  struct Annotation: Decodable {
    let id: Int
    let image_id: Int
    let category_id: Int
    let bbox: [Double]
    let area: Double
    let iscrowd: Int
    let score: Double
    /// The category's.
    var name = ""

    enum CodingKeys: CodingKey { case id, image_id, category_id, bbox, area, iscrowd, score }
  }

  struct Failure: Decodable {
    let file_name: String
    let error: String
  }

  let categories: [Category]
  let images: [Image]
  private(set) var annotations: [Annotation]
  let failed: [Failure]

  init(_ name: String, in folder: TemporaryFolder) throws {
    self = try JSONDecoder().decode(Predictions.self, from: Data(folder.read(name)))
    for index in annotations.indices {
      annotations[index].name = categories.first { $0.id == annotations[index].category_id }?.name ?? ""
    }
  }
}
