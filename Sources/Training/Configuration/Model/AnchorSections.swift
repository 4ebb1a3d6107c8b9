import Detection
import Foundation

extension AnchorGeneratorConfiguration {
  init(_ section: ConfigurationSection) throws {
    self.init()
    isLegacy = try section.type("AnchorGenerator", "LegacyAnchorGenerator") == "LegacyAnchorGenerator"
    strides = try Self.strides(section)
    ratios = try section.required("ratios")
    scales = try Self.scales(section)
    baseSizes = try section.optional("base_sizes")
    try section.check(
      baseSizes?.count ?? strides.count == strides.count, "base_sizes", expected: "one size for each stride")
    try section.read("scale_major", into: &scaleMajor)
    try section.read("center_offset", into: &centerOffset)
    try section.check(centerOffset >= 0 && centerOffset <= 1, "center_offset", expected: "a number from 0 to 1")
    centers = try section.optional("centers", as: [[Float]].self)?.map { center in
      try section.check(center.count == 2, "centers", expected: "a pair (x, y) for each stride")
      return (center[0], center[1])
    }
    try section.check(
      centers?.count ?? strides.count == strides.count, "centers", expected: "a pair (x, y) for each stride")
    try section.check(centers == nil || centerOffset == 0, "center_offset", expected: "0, as 'centers' are given")
  }

  /// Each a number, or a pair (width, height).
  private static func strides(_ section: ConfigurationSection) throws -> [(width: Int, height: Int)] {
    guard let node = section.node("strides") else { throw section.missing("strides", expected: "a list") }
    let pairs = [Int](configuration: node)?.map { [$0, $0] } ?? [[Int]](configuration: node)
    guard let pairs, !pairs.isEmpty, pairs.allSatisfy({ $0.count == 2 && $0[0] > 0 && $0[1] > 0 }) else {
      throw section.mismatch("strides", expected: "a list of numbers from 1 on, or of pairs of them")
    }
    return pairs.map { ($0[0], $0[1]) }
  }

  /// `scales`, or `octave_base_scale` · 2^(i / `scales_per_octave`) for i below `scales_per_octave`.
  private static func scales(_ section: ConfigurationSection) throws -> [Float] {
    let scales: [Float]? = try section.optional("scales")
    let base: Double? = try section.optional("octave_base_scale")
    let count: Int? = try section.optional("scales_per_octave")
    switch (scales, base, count) {
    case (let scales?, nil, nil): return scales
    case (nil, let base?, let count?): return (0..<count).map { Float(base * pow(2, Double($0) / Double(count))) }
    default:
      throw section.missing("scales", expected: "or 'octave_base_scale' with 'scales_per_octave'; one of the two")
    }
  }
}

extension BoxCoderConfiguration {
  init(_ section: ConfigurationSection) throws {
    let isLegacy = try section.type("DeltaXYWHBBoxCoder", "LegacyDeltaXYWHBBoxCoder") == "LegacyDeltaXYWHBBoxCoder"
    var coder = DeltaXYWHBBoxCoderConfiguration()
    coder.isLegacy = isLegacy
    try section.read("target_means", into: &coder.targetMeans)
    try section.check(coder.targetMeans.count == 4, "target_means", expected: "4 numbers")
    try section.read("target_stds", into: &coder.targetStds)
    try section.check(
      coder.targetStds.count == 4 && coder.targetStds.allSatisfy { $0 > 0 }, "target_stds",
      expected: "4 numbers above 0")
    if !isLegacy { try section.read("clip_border", into: &coder.clipBorder) }
    self = .deltaXYWH(coder)
  }
}
