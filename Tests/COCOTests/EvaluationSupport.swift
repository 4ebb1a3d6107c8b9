import COCO
import Foundation
import TestSupport

/// An annotation file and a results file in `Tests/Goldens`, read with Foundation alone.
struct EvaluationCase {
  let categoryIDs: [Int64]
  let imageIDs: [Int64]
  let groundTruths: [EvaluationGroundTruth]
  let detections: [EvaluationDetection]

  private struct AnnotationFile: Decodable {
    struct Image: Decodable { let id: Int64 }
    struct Category: Decodable { let id: Int64 }
    struct Annotation: Decodable {
      let id: Int64
      let image_id: Int64
      let category_id: Int64
      let bbox: [Double]
      let area: Double
      let iscrowd: Int
    }
    let images: [Image]
    let annotations: [Annotation]
    let categories: [Category]
  }

  /// Labels are given in the order of the category ids, as pycocotools sorts them.
  init(_ golden: GoldenCase) throws {
    try self.init(
      annotations: GoldenCase.path(golden.string("annotations")!),
      results: GoldenCase.path(golden.string("detections")!))
  }

  init(annotations: String, results: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: annotations))
    let file = try JSONDecoder().decode(AnnotationFile.self, from: data)
    let categories = file.categories.map(\.id).sorted()
    categoryIDs = categories
    imageIDs = file.images.map(\.id)
    groundTruths = file.annotations.map {
      EvaluationGroundTruth(
        annotationID: $0.id, imageID: $0.image_id, label: categories.firstIndex(of: $0.category_id)!,
        box: EvaluationBox(x: $0.bbox[0], y: $0.bbox[1], width: $0.bbox[2], height: $0.bbox[3]), area: $0.area,
        isCrowd: $0.iscrowd != 0)
    }
    detections = try ResultsFile.read(results, categoryIDs: categories)
  }

  func evaluator(
    images: [Int64]? = nil, maxDets: [Int] = [1, 10, 100], usesCategories: Bool = true
  ) -> CocoEvaluator {
    var parameters = EvaluationParameters()
    (parameters.maxDets, parameters.proposalNums) = (maxDets, maxDets)
    return CocoEvaluator(
      imageIDs: images ?? imageIDs, labelCount: categoryIDs.count, groundTruths: groundTruths, parameters: parameters,
      usesCategories: usesCategories)
  }

  func result(_ parameters: EvaluationParameters) -> EvaluationResult {
    CocoEvaluator(
      imageIDs: imageIDs, labelCount: categoryIDs.count, groundTruths: groundTruths, parameters: parameters
    ).evaluate(detections)
  }
}

/// The numbers' worst difference; NaN agrees with NaN only.
func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { worst, pair in
    if pair.0.isNaN && pair.1.isNaN { return worst }
    let difference = abs(pair.0 - pair.1)
    return difference.isNaN ? .infinity : max(worst, difference)
  }
}
