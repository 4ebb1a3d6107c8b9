import COCO
import Detection

/// What `rcnn-train anchors` was asked for.
public struct AnchorsOptions: Sendable {
  public enum Part: String, CaseIterable, Sendable { case train, val }

  public let config: ConfigSource
  /// Whose boxes are looked at.
  public var part = Part.train
  /// How many scales and ratios are proposed; nil: as many as there are.
  public var scaleCount: Int?
  public var ratioCount: Int?
  public var printsJSON = false

  public init(config: ConfigSource) { self.config = config }
}

/// `rcnn-train anchors`.
public enum AnchorsRun {
  /// Prints how well the anchors of a configuration fit its boxes, and ends the process with the exit code of
  /// `sysexits.h`. No picture is read, but for the sizes that an annotation file doesn't say.
  public static func start(_ options: AnchorsOptions) -> Never {
    Boundary.run(singleRank: true) { _ in
      let report = try report(options)
      print(options.printsJSON ? report.json.lines() : report.text, terminator: "")
      return 0
    }
  }

  private static func report(_ options: AnchorsOptions) throws -> AnchorReport {
    let read = try options.config.read()
    let name = options.config.path ?? "quickstart"
    guard case .rpnHead(let head) = read.run.model.source else {
      throw RunError(
        "\(name) is a FastRCNN, whose proposals come from a file: it has no RPN, and so no anchors",
        exitCode: .usage)
    }
    for (count, option) in [(options.scaleCount, "--num-scales"), (options.ratioCount, "--num-ratios")] {
      guard let count, !(1...32).contains(count) else { continue }
      throw RunError("error: \(option) is \(count); expected a number from 1 to 32", exitCode: .usage)
    }
    let data = read.run.data
    guard var section = options.part == .train ? data.train : data.val else {
      throw RunError(
        "\(name): error: 'data.val' is missing; --data train looks at the training boxes", exitCode: .configuration)
    }
    // As in a training, which measures by its own classes.
    if options.part == .val { section.classes = section.classes ?? data.train.classes }
    let dataset = try CocoDataset(
      section.readAnnotations(), configuration: section, training: options.part == .train)
    return try AnchorReport(options, read, head, section, dataset)
  }
}
