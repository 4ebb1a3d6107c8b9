/// The detections of one class in a row, as `tidecv` measures them.
private struct ClassRanking {
  var objects = 0
  private var entries: [(score: Double, isRight: Bool)] = []

  var isEmpty: Bool { objects == 0 && entries.isEmpty }

  mutating func append(score: Double, isRight: Bool) { entries.append((score, isRight)) }

  /// The mean of the largest precisions at 101 recalls; equal scores keep the order in which they came.
  var averagePrecision: Double {
    guard objects > 0 else { return 0 }
    var (right, precisions, recalls): (Int, [Double], [Double]) = (0, [], [])
    for (place, entry) in stableOrder(byDescending: entries.map(\.score)).enumerated() {
      guard entries[entry].isRight else { continue }
      right += 1
      precisions.append(Double(right) / Double(place + 1))
      recalls.append(Double(right) / Double(objects))
    }
    for place in precisions.indices.dropFirst().reversed() {
      precisions[place - 1] = max(precisions[place - 1], precisions[place])
    }
    var (sum, place) = (0.0, 0)
    for step in 0...100 {
      while place < recalls.count, recalls[place] < Double(step) / 100 { place += 1 }
      if place < precisions.count { sum += precisions[place] }
    }
    return sum / 101
  }
}

/// The mean average precision of judged pictures, as they are or with some of the errors mended.
struct MendedPrecision {
  let pictures: [ErrorClassifier.Picture]
  let labelCount: Int

  /// As the detections are.
  var unmended: Double {
    var rankings = counted()
    for found in pictures.lazy.flatMap(\.detections) where !found.isIgnored {
      rankings[found.label].append(score: found.score, isRight: found.isRight)
    }
    return mean(rankings)
  }

  /// Without the errors of a kind: what another class or place would make right is right, the other wrong detections
  /// vanish, and missed objects are none.
  func mended(_ kind: DetectionErrorKind) -> Double {
    measure(
      objects: { kind == .missed ? $0.missed : [] },
      mend: { found in found.error == kind ? .some(found.mendedLabel) : nil })
  }

  /// With all wrong detections behind the right ones.
  var withoutFalsePositives: Double { measure(score: { $0 ? 1 : 0 }) }

  /// With the objects alone that were found.
  var withoutFalseNegatives: Double { measure(objects: \.notFound) }

  /// The objects of each class.
  private func counted(besides others: (ErrorClassifier.Picture) -> [Int] = { _ in [] }) -> [ClassRanking] {
    var rankings = [ClassRanking](repeating: ClassRanking(), count: labelCount)
    for picture in pictures {
      for label in picture.objects { rankings[label].objects += 1 }
      for label in others(picture) { rankings[label].objects -= 1 }
    }
    return rankings
  }

  /// Wrong detections come first, so that they stand before right ones of the same score.
  /// - Parameters:
  ///   - others: the labels of objects that don't count.
  ///   - score: in place of the detections' own, of right and of wrong ones.
  ///   - mend: of a detection with an error nil, or what becomes of it: right with this label, or nothing.
  private func measure(
    objects others: (ErrorClassifier.Picture) -> [Int] = { _ in [] }, score: ((_ isRight: Bool) -> Double)? = nil,
    mend: (ErrorClassifier.Judged) -> Int?? = { _ in nil }
  ) -> Double {
    var rankings = counted(besides: others)
    for found in pictures.lazy.flatMap(\.detections) where !found.isRight {
      if let mended = mend(found) {
        guard let label = mended else { continue }
        rankings[label].append(score: score?(true) ?? found.score, isRight: true)
      } else if !found.isIgnored {
        rankings[found.label].append(score: score?(false) ?? found.score, isRight: false)
      }
    }
    for found in pictures.lazy.flatMap(\.detections) where found.isRight {
      rankings[found.label].append(score: score?(true) ?? found.score, isRight: true)
    }
    return mean(rankings)
  }

  /// Over the classes that have an object or a detection.
  private func mean(_ rankings: [ClassRanking]) -> Double {
    let present = rankings.filter { !$0.isEmpty }
    return present.isEmpty ? 0 : present.reduce(0) { $0 + $1.averagePrecision } / Double(present.count)
  }
}
