import Primitives

/// Decides which ground truth each box stands for.
public protocol Assigner: Sendable {
  /// - Parameters:
  ///   - boxes: anchors or proposals of one image.
  ///   - gtBoxes: the ground truths of that image.
  ///   - gtLabels: the class of each ground truth; nil (in the RPN) leaves the result without labels.
  ///   - gtBoxesIgnore: regions whose boxes take no part, where the assigner looks at them.
  func assign(_ boxes: [Box], gtBoxes: [Box], gtLabels: [Int]?, gtBoxesIgnore: [Box]) -> AssignResult
}

/// `assigner`.
public enum AssignerConfiguration: Equatable, Sendable {
  case maxIoU(MaxIoUAssignerConfiguration)

  public func make() -> any Assigner {
    switch self {
    case .maxIoU(let configuration): MaxIoUAssigner(configuration)
    }
  }
}
