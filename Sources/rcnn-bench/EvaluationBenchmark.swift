import ArgumentParser
import COCO
import Foundation
import Primitives
import Training

/// `rcnn-bench eval`: how fast detections are evaluated.
struct EvaluationBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Times COCO's evaluation of made-up detections, from lists in memory to the twelve numbers.",
    discussion: """
      Half of the detections lie near an object. With --write-json, DIR gets annotations.json and detections.json, which \
      other programs can read: COCOeval(COCO(annotations), COCO(annotations).loadRes(detections), 'bbox').
      """)

  @Option(help: "Pictures.")
  var images = 5000

  @Option(help: "Detections a picture.")
  var detections = 100

  @Option(help: "Classes, at most 80.")
  var classes = 80

  @Option(help: "Evaluate so often; the time is the shortest.")
  var `repeat` = 3

  @Option(help: ArgumentHelp("Write what is evaluated.", valueName: "DIR"))
  var writeJSON: String?

  @Flag(help: "Print one line of JSON.")
  var json = false

  func validate() throws {
    guard images > 0, detections >= 0, `repeat` > 0, (1...80).contains(classes) else {
      throw ValidationError(
        "--images and --repeat are numbers from 1 on, --detections from 0 on, --classes from 1 to 80")
    }
  }

  func run() throws {
    Boundary.run(singleRank: true) { _ in
      let scenes = RandomDetections(images: images, detections: detections, classes: classes)
      if let writeJSON { try scenes.write(to: writeJSON) }
      var (seconds, result): ([Double], EvaluationResult?) = ([], nil)
      for _ in 0..<`repeat` {
        let start = ContinuousClock.now
        let evaluator = CocoEvaluator(
          imageIDs: scenes.imageIDs, labelCount: classes, groundTruths: scenes.groundTruths)
        result = evaluator.evaluate(scenes.detections)
        seconds.append(start.duration(to: .now).seconds)
      }
      if let result, let best = seconds.min() { report(result, best) }
      return 0
    }
  }

  private func report(_ result: EvaluationResult, _ seconds: Double) {
    guard json else {
      for line in result.summary { print(line) }
      let size = "\(images) pictures x \(detections) detections, \(classes) classes"
      return print("\(size): \(decimal(seconds, 4)) s (shortest of \(`repeat`))")
    }
    print(
      JSON.object([
        ("bench", .text("eval")), ("images", .integer(images)), ("detections", .integer(detections)),
        ("classes", .integer(classes)), ("seconds", .decimal(seconds, digits: 5)),
        ("statistics", .array(result.statistics.map(JSON.number))),
      ]).text())
  }
}

/// Objects of COCO's sizes, about seven a picture and one crowd in a hundred, and detections: half of them near an object,
/// as a rule of its class, the others anywhere.
struct RandomDetections {
  let imageIDs: [Int64]
  private(set) var groundTruths: [EvaluationGroundTruth] = []
  private(set) var detections: [EvaluationDetection] = []
  private let classes: Int

  init(images: Int, detections: Int, classes: Int) {
    self.classes = classes
    imageIDs = (0..<images).map { Int64(1 + 7 * $0) }
    for id in imageIDs {
      var random = KeyedRandom(seed: 2, purpose: .test, item: id)
      let first = groundTruths.count
      for _ in 0..<random.below(15) { groundTruths.append(object(in: id, &random)) }
      for number in 0..<detections {
        let objects = groundTruths[first...]
        let isNear = number % 2 == 0 && !objects.isEmpty
        let near = isNear ? objects[first + random.below(objects.count)] : nil
        self.detections.append(detection(in: id, near: near, &random))
      }
    }
  }

  private func object(in image: Int64, _ random: inout KeyedRandom) -> EvaluationGroundTruth {
    let box = box(&random)
    return EvaluationGroundTruth(
      annotationID: Int64(groundTruths.count + 1), imageID: image, label: random.below(classes), box: box,
      area: box.area * (0.4 + 0.5 * Double(random.uniform())), isCrowd: random.below(100) == 0)
  }

  /// Sides from 8 to 400 pixels, evenly by their logarithm, in hundredths of a pixel.
  private func box(_ random: inout KeyedRandom) -> EvaluationBox {
    func side() -> Double { (800 * pow(50, Double(random.uniform()))).rounded() / 100 }
    let (width, height) = (side(), side())
    let (x, y) = (Double(random.uniform()) * (640 - width), Double(random.uniform()) * (480 - height))
    return EvaluationBox(x: (100 * x).rounded() / 100, y: (100 * y).rounded() / 100, width: width, height: height)
  }

  private func detection(
    in image: Int64, near object: EvaluationGroundTruth?, _ random: inout KeyedRandom
  ) -> EvaluationDetection {
    // Thousandths: some scores are equal.
    let score = Double(random.below(1000)) / 1000
    guard let object else {
      return EvaluationDetection(imageID: image, label: random.below(classes), box: box(&random), score: score)
    }
    func moved(_ value: Double, by size: Double) -> Double { value + size * 0.15 * Double(random.normal()) }
    let (box, old) = (object.box, object.box)
    let near = EvaluationBox(
      x: moved(box.x, by: old.width), y: moved(box.y, by: old.height), width: max(1, moved(box.width, by: old.width)),
      height: max(1, moved(box.height, by: old.height)))
    let label = random.below(5) == 0 ? random.below(classes) : object.label
    return EvaluationDetection(imageID: image, label: label, box: near, score: score.squareRoot())
  }

  /// `annotations.json` and `detections.json`, for other programs.
  func write(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let ids = AnnotationGenerator.categoryIDs.prefix(classes).map { Int64($0) }
    try ResultsFile.write(detections, categoryIDs: ids, to: "\(folder)/detections.json")
    let images = imageIDs.map {
      JSON.object([
        ("id", .integer(Int($0))), ("file_name", .text("\($0).jpg")), ("width", .integer(640)),
        ("height", .integer(480)),
      ])
    }
    let objects = groundTruths.map { object in
      let box = object.box
      return JSON.object([
        ("id", .integer(Int(object.annotationID))), ("image_id", .integer(Int(object.imageID))),
        ("category_id", .integer(Int(ids[object.label]))),
        ("bbox", .array([box.x, box.y, box.width, box.height].map(JSON.number))), ("area", .number(object.area)),
        ("iscrowd", .integer(object.isCrowd ? 1 : 0)),
      ])
    }
    let categories = ids.map { JSON.object([("id", .integer(Int($0))), ("name", .text("class\($0)"))]) }
    let file = JSON.object([
      ("info", .object([])), ("images", .array(images)), ("annotations", .array(objects)),
      ("categories", .array(categories)),
    ])
    try WholeFile.write(file.lines(), to: "\(folder)/annotations.json", safety: .renamed)
  }
}
