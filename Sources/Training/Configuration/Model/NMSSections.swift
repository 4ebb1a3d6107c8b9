import Detection

extension NMSConfiguration.SoftMethod: ConfigurationChoice {}

extension NMSConfiguration {
  init(_ section: ConfigurationSection) throws {
    self.init()
    kind = try section.type("nms", "soft_nms", default: "nms") == "nms" ? .nms : .softNMS
    let older: Float? = try section.optional("iou_thr")
    section.notice("iou_thr", "is the older name of 'iou_threshold'")
    guard let threshold = try section.optional("iou_threshold") ?? older ?? (kind == .softNMS ? 0.3 : nil) else {
      throw section.missing("iou_threshold", expected: "a number from 0 to 1")
    }
    iouThreshold = threshold
    let name = section.has("iou_threshold") ? "iou_threshold" : "iou_thr"
    try section.check(threshold >= 0 && threshold <= 1, name, expected: "a number from 0 to 1")
    try section.read("class_agnostic", into: &classAgnostic)
    try section.read("split_thr", into: &splitThr)
    guard kind == .softNMS else { return }
    try section.read("method", into: &softMethod)
    try section.read("sigma", into: &sigma)
    try section.check(sigma > 0, "sigma", expected: "a number above 0")
    try section.read("min_score", into: &minScore)
    if softMethod == .gaussian {
      section.ignore("iou_threshold", "iou_thr", because: "method gaussian has no threshold")
    } else {
      section.ignore("sigma", because: "only method gaussian has it")
    }
  }
}
