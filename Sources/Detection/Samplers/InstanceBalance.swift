/// As many positives of each object: mmdetection's `InstanceBalancedPosSampler` (Pang et al., "Libra R-CNN").
enum InstanceBalance {
  /// At most `round(count / objects) + 1` of each object. What is missing then is drawn from the rest (mmdetection draws it
  /// from all positives, and loses those that it draws twice); what is too much is left out at random.
  /// - Parameter gtInds: for each box, 1 + the number of its object.
  static func choose(_ count: Int, of positives: [Int], gtInds: [Int32], _ random: RandomChoice) -> [Int] {
    let ofObject = Dictionary(grouping: positives) { gtInds[$0] }
    let share = Int((Double(count) / Double(max(1, ofObject.count))).rounded(.toNearestOrEven)) + 1
    let chosen = ofObject.keys.sorted().flatMap { random(share, of: ofObject[$0] ?? [], draw: 1) }.sorted()
    if chosen.count > count { return random(count, of: chosen, draw: 2) }
    let taken = Set(chosen)
    return chosen + random(count - chosen.count, of: positives.filter { !taken.contains($0) }, draw: 3)
  }
}
