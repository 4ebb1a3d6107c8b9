import Primitives

/// A box head without classes (`with_cls: false`) can be trained, and tells nothing in test mode: neither here nor in
/// mmdetection, which fails there.
public struct NoScoresError: ReportedError {
  public var description: String {
    "nothing can be detected: the box head has no scores ('model.roi_head.bbox_head.with_cls' is false)"
  }
  public var exitCode: ExitCode { .configuration }
  public var scope: ErrorScope { .allRanks }
}
