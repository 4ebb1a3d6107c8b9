import Foundation
import Primitives

/// Why a data set has lost its boxes, as far as their numbers tell.
extension DatasetSummary {
  /// Boxes of the classes that take part, and are none to train on.
  private var lostBoxes: Int { crowdBoxes + (isForTraining ? boxesMarkedIgnore : 0) + boxesTooSmall + boxesOutside }

  /// All of the classes that take part.
  private var allBoxes: Int { isForTraining ? boxes + lostBoxes : boxes + crowdBoxes }

  /// A sentence with numbers where most boxes are lost, or most reach beyond their image; nil elsewhere.
  var lossWarning: String? {
    let all = allBoxes
    guard all > 0, 2 * lostBoxes > all || areOfAnotherScale else { return nil }
    let counts = Self.counts([
      (crowdBoxes, "crowd regions"), (isForTraining ? boxesMarkedIgnore : 0, "marked 'ignore'"),
      (boxesTooSmall, "smaller than a pixel or without area"), (boxesOutside, "outside their image"),
      (boxesOverTheEdge, "over the edge"),
    ])
    let reason = lossReason.map { "; \($0)" } ?? ""
    return "\(path): most of \(all) boxes are lost or lie wrong: \(counts)\(reason)"
  }

  /// What most of the file's boxes have in common that are none to train on, as a question or a remedy.
  var lossReason: String? {
    let all = allBoxes + boxesOfOtherClasses
    func most(_ count: Int) -> Bool { 2 * count > all }
    if all == 0 { return nil }
    if most(boxesOfOtherClasses) {
      return "the classes to train on are \(Self.list(classesTaken)), but most boxes are of \(Self.list(otherClasses))"
    }
    if most(crowdBoxes) {
      let use = isForTraining ? "learn" : "find"
      return "crowd regions ('iscrowd': 1) are nothing to \(use): did an export of masks mark single objects so?"
    }
    if isForTraining, most(boxesMarkedIgnore) {
      return "'ignore' takes them out of the training: was it exported by mistake?"
    }
    if most(boxesWithinUnit) {
      return "they lie within 0 to 1: are these fractions of the picture? [x, y, width, height] in pixels is expected"
    }
    if areOfAnotherScale {
      return "boxes reach \(String(format: "%.1f", reach)) times the picture's size: were the pictures resized?"
    }
    return nil
  }

  /// Most lie outside, or over the edge by more than careless clicks explain.
  private var areOfAnotherScale: Bool {
    2 * (boxesOutside + boxesOverTheEdge) > allBoxes && reach > 1.2
  }

  /// The sentence of the error where no box is left to train on.
  var nothingLeft: String {
    "no \(images == 0 ? "image" : "box") is left to train on: \(self)" + (lossReason.map { "; \($0)" } ?? "")
  }

  /// The finding about classes that have no box; nil where all have one, or none.
  var findingOfClassesWithoutBoxes: DatasetFinding? {
    let names = classesWithoutBoxes
    guard !names.isEmpty, boxes > 0 else { return nil }
    let effect = isForTraining ? "nothing is learnt of them" : "their AP is -1 and counts in no mean"
    return DatasetFinding(
      .classesWithoutBoxes, level: isForTraining ? .warning : .notice, count: names.count,
      "\(names.count) of \(classesTaken.count) classes have no box, \(Self.list(names)): \(effect)")
  }

  private static func list(_ names: [String]) -> String {
    FirstFew.words(names.map { "'\($0)'" }, most: 5)
  }
}
