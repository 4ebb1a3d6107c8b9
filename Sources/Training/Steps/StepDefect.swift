import COCO

/// What was not finite in a step, as far as it can be known; the same on all ranks.
public struct StepDefect: Codable, Equatable, Sendable {
  /// The loss terms that were not finite on any rank.
  public var terms: [String] = []
  /// The first parameter, in the order of the forward pass, whose gradient was not finite; with `mpi.reduction: exact` also
  /// one beyond the range.
  public var parameter: String?
  /// The first rank that had it by itself; nil where only the sums had.
  public var rank: Int?
  /// That rank's first image with it, with `mpi.reduction: exact`.
  public var image: Int64?

  /// What one rank found.
  struct Finding: Codable {
    var terms: [String] = []
    var parameter: String?
    var image: Int64?
    /// Whether it was found in this rank's own gradients, not in the sums.
    var isOwn = false
  }

  init() {}

  /// - Parameter findings: of all ranks, in order.
  init(_ findings: [Finding]) {
    for finding in findings { terms += finding.terms.filter { !terms.contains($0) } }
    rank = findings.firstIndex { !$0.terms.isEmpty || $0.isOwn || $0.image != nil }
    image = rank.flatMap { findings[$0].image }
    parameter = rank.flatMap { findings[$0].parameter } ?? findings.lazy.compactMap(\.parameter).first
  }

  /// `first in the gradient of backbone.conv1.weight, on rank 1 with image 17`.
  /// - Parameter identifier: an image's id as its file writes it.
  func summary(_ identifier: (Int64) -> FileIdentifier) -> String {
    let place = parameter.map { "first in the gradient of \($0), " } ?? ""
    guard let rank else { return place + "on no rank when each repeated the step by itself" }
    let ofImage = image.map { " with image \(identifier($0))" } ?? ""
    return place + "\(place.isEmpty ? "first " : "")on rank \(rank)" + ofImage
  }
}
