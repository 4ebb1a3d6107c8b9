/// A detector with its parameters.
public protocol Detector {
  /// What it reports of a step, fixed when it is built.
  var terms: LossTerms { get }

  /// The first phase of a training step: forward passes, targets and counts.
  func train(_ input: DetectorInput, _ draws: Draws) throws -> PendingLosses

  /// Test mode: the detections of each image, best first, in pixels of the original picture.
  /// - Throws: `DivergenceError`.
  func detect(_ input: DetectorInput) throws -> [[Detection]]
}
