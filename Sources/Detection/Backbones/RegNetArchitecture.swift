import Foundation

/// `arch` of a RegNet (Radosavovic et al., 2020): a design of the widths and the number of its blocks, from which stages
/// follow as mmdetection makes them.
public struct RegNetArchitecture: Equatable, Sendable {
  /// The first block's width; a multiple of 8.
  public var w0: Int
  /// By how much each block is wider than the one before, before widths are rounded; at least 0.
  public var wa: Double
  /// Widths are `w0` times powers of this; above 1.
  public var wm: Double
  /// The number of blocks.
  public var depth: Int
  /// The channels of a group.
  public var groupWidth: Int
  /// A block's inner width as a part of its outer.
  public var bottleneckRatio: Double

  public init(w0: Int, wa: Double, wm: Double, depth: Int, groupWidth: Int, bottleneckRatio: Double = 1) {
    (self.w0, self.wa, self.wm, self.depth) = (w0, wa, wm, depth)
    (self.groupWidth, self.bottleneckRatio) = (groupWidth, bottleneckRatio)
  }

  /// mmdetection's table.
  public static let named: [String: RegNetArchitecture] = [
    "regnetx_400mf": RegNetArchitecture(w0: 24, wa: 24.48, wm: 2.54, depth: 22, groupWidth: 16),
    "regnetx_800mf": RegNetArchitecture(w0: 56, wa: 35.73, wm: 2.28, depth: 16, groupWidth: 16),
    "regnetx_1.6gf": RegNetArchitecture(w0: 80, wa: 34.01, wm: 2.25, depth: 18, groupWidth: 24),
    "regnetx_3.2gf": RegNetArchitecture(w0: 88, wa: 26.31, wm: 2.25, depth: 25, groupWidth: 48),
    "regnetx_4.0gf": RegNetArchitecture(w0: 96, wa: 38.65, wm: 2.43, depth: 23, groupWidth: 40),
    "regnetx_6.4gf": RegNetArchitecture(w0: 184, wa: 60.83, wm: 2.07, depth: 17, groupWidth: 56),
    "regnetx_8.0gf": RegNetArchitecture(w0: 80, wa: 49.56, wm: 2.88, depth: 23, groupWidth: 120),
    "regnetx_12gf": RegNetArchitecture(w0: 168, wa: 73.36, wm: 2.37, depth: 19, groupWidth: 112),
  ]

  /// Blocks of one width.
  public struct Stage: Equatable, Sendable {
    public let blocks: Int
    /// The channels of its map.
    public let width: Int
    /// The channels between a block's first and last convolution, and the groups into which they fall.
    public let innerWidth: Int
    public let groups: Int
  }

  /// The stages, widths rounded to multiples of 8 and of the groups' (section 3.3 of the paper).
  public var stages: [Stage] {
    var runs: [(width: Int, blocks: Int)] = []
    for width in blockWidths {
      if runs.last?.width == width { runs[runs.count - 1].blocks += 1 } else { runs.append((width, 1)) }
    }
    return runs.map { run in
      let inner = Int(Double(run.width) * bottleneckRatio)
      let group = max(1, min(groupWidth, inner))
      let rounded = Int((Double(inner) / Double(group)).rounded(.toNearestOrEven)) * group
      let width = Int(Double(rounded) / bottleneckRatio)
      let groups = Int((Double(width) * bottleneckRatio).rounded(.toNearestOrEven)) / group
      return Stage(
        blocks: run.blocks, width: width,
        innerWidth: ResNetConfiguration.innerWidth(
          planes: width, groups: groups, baseWidth: group, baseChannels: width), groups: groups)
    }
  }

  private var blockWidths: [Int] {
    (0..<depth).map { block in
      let power = (log((Double(block) * wa + Double(w0)) / Double(w0)) / log(wm)).rounded(.toNearestOrEven)
      return Int((Double(w0) * pow(wm, power) / 8).rounded(.toNearestOrEven)) * 8
    }
  }
}
