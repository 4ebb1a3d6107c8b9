/// What is odd about annotations that take part and can be used all the same.
struct AnnotationOddities {
  private var annotations = 0
  private var idZero = Tally<Int64>()
  private var areaBeyondBox = Tally<Int64>()
  private var areaOfPicture = 0
  private var repeatedBoxes = Tally<Int64>()

  /// Looks at an image's annotations of classes that take part.
  mutating func look(at places: [Int], in block: AnnotationBlock) {
    for annotation in places {
      annotations += 1
      if block.annotationIDs[annotation] == 0, block.flags[annotation] & AnnotationBlock.crowd == 0 { idZero.add(0) }
      let (box, area) = (block.boxes[annotation], block.areas[annotation])
      // Some tools count the pixels of both edges, and a mask's polygons may overlap a little.
      guard area > (box[2] + 1) * (box[3] + 1) * 1.01 else { continue }
      areaBeyondBox.add(block.annotationIDs[annotation])
      let image = Int(block.imageOfAnnotation[annotation])
      if area == Double(block.widths[image]) * Double(block.heights[image]) { areaOfPicture += 1 }
    }
    lookForRepetition(in: places, of: block)
  }

  private mutating func lookForRepetition(in places: [Int], of block: AnnotationBlock) {
    func isSame(_ a: Int, _ b: Int) -> Bool {
      block.boxes[a] == block.boxes[b] && block.categoryOfAnnotation[a] == block.categoryOfAnnotation[b]
    }
    guard places.count > 32 else {
      for (index, annotation) in places.enumerated() {
        let isRepeated = places[..<index].contains { isSame($0, annotation) }
        if isRepeated { repeatedBoxes.add(block.annotationIDs[annotation]) }
      }
      return
    }
    var seen: Set<Object> = []
    for annotation in places {
      let object = Object(box: block.boxes[annotation], category: block.categoryOfAnnotation[annotation])
      if !seen.insert(object).inserted { repeatedBoxes.add(block.annotationIDs[annotation]) }
    }
  }

  private struct Object: Hashable {
    let box: SIMD4<Double>
    let category: Int32
  }

  /// - Parameters:
  ///   - isForTraining: an id 0 matters to metrics alone.
  ///   - identifier: of an annotation, as its file writes it.
  func findings(isForTraining: Bool, _ identifier: (Int64) -> FileIdentifier) -> [DatasetFinding] {
    var findings: [DatasetFinding] = []
    let (areaBeyondBox, repeatedBoxes) = (self.areaBeyondBox.named(identifier), self.repeatedBoxes.named(identifier))
    if !isForTraining, idZero.count > 0 {
      findings.append(
        DatasetFinding(
          .annotationIDZero, of: idZero.named(identifier),
          "annotation 0 can never count as found in COCO's metrics, here as in pycocotools, where 0 stands for no match: "
            + "number the annotations from 1"))
    }
    if areaBeyondBox.count > 0 {
      let reason = areaOfPicture == areaBeyondBox.count ? " (it is the picture's)" : ""
      findings.append(
        DatasetFinding(
          .areaBeyondBox, of: areaBeyondBox,
          "\(areaBeyondBox.count) of \(annotations) annotations have an 'area' beyond their box\(reason): "
            + "\(areaBeyondBox.list); the size ranges of COCO's metrics (APs, APm, APl) go by it"))
    }
    if repeatedBoxes.count > 0 {
      findings.append(
        DatasetFinding(
          .repeatedBoxes, of: repeatedBoxes,
          "\(repeatedBoxes.count) annotations repeat the class and box of another one of their picture: "
            + repeatedBoxes.list))
    }
    return findings
  }
}
