import Detection

extension AssignerConfiguration {
  init(_ section: ConfigurationSection) throws {
    _ = try section.type("MaxIoUAssigner")
    self = .maxIoU(try MaxIoUAssignerConfiguration(section))
  }
}

extension MaxIoUAssignerConfiguration {
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
    posIoUThr = try section.required("pos_iou_thr")
    guard let node = section.node("neg_iou_thr") else { throw section.missing("neg_iou_thr", expected: "a number") }
    if let threshold = Float(configuration: node) {
      negIoUThr = Range(high: threshold)
    } else if let pair = [Float](configuration: node), pair.count == 2 {
      negIoUThr = Range(low: pair[0], high: pair[1])
    } else {
      throw section.mismatch("neg_iou_thr", expected: "a number, or a pair: from, to")
    }
    try section.read("min_pos_iou", into: &minPosIoU)
    try section.read("gt_max_assign_all", into: &gtMaxAssignAll)
    try section.read("ignore_iof_thr", into: &ignoreIoFThr)
    try section.read("ignore_wrt_candidates", into: &ignoreWrtCandidates)
    try section.read("match_low_quality", into: &matchLowQuality)
    section.ignore("gpu_assign_thr", because: "there is no GPU")
    try section.section("iou_calculator") { _ = try $0.type("BboxOverlaps2D") }
  }
}
