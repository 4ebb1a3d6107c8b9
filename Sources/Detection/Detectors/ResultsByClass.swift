/// mmdetection's `bbox2result`: an image's detections as one list for each class, in their order.
public func resultsByClass<Detection>(_ detections: [Detection], labels: [Int], classes: Int) -> [[Detection]] {
  precondition(detections.count == labels.count, "\(detections.count) detections but \(labels.count) labels")
  var results = [[Detection]](repeating: [], count: classes)
  for (detection, label) in zip(detections, labels) { results[label].append(detection) }
  return results
}
