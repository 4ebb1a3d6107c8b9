import COCO
import Detection
import Foundation
import Primitives

/// What becomes of steps in which a loss or a gradient is not finite: `mpi.on_non_finite`. The parameters have stayed as they
/// were.
struct NonFiniteSteps {
  let run: RunSetup
  let dataset: CocoDataset

  /// Writes `non_finite_iter_N.txt` into the work directory; then ends the run, or leaves the step out.
  ///
  /// - Parameters:
  ///   - position: before the step.
  ///   - images: of the step, of all ranks.
  /// - Throws: `RunError` where the run is to stop.
  func handle(_ defect: StepDefect, _ losses: LossValues, images: [Int64], at position: Position) throws {
    let section = run.configuration.mpi
    let ids = images.map { dataset.identifier(ofImage: $0).description }.joined(separator: ", ")
    let place = defect.summary(dataset.identifier(ofImage:))
    let iteration = position.iteration + 1
    let what = "\(losses.isFinite ? "a gradient" : "the loss") is not finite at iter \(iteration)"
    let details = "\(losses.summary); images \(ids); \(place)"
    let isSkipped = section.onNonFinite == .skip && position.skipped < section.maxNonFinite
    if run.world.rank == 0 {
      let lines = [
        what, "epoch: \(position.epoch + 1)", "losses: \(losses.summary)", "images: \(ids)",
        place, isSkipped ? "left out" : "ended the run",
      ]
      try OutputFolder.write(
        lines.joined(separator: "\n") + "\n", to: "\(run.workDir)/non_finite_iter_\(iteration).txt")
    }
    guard isSkipped else {
      let steps = position.skipped == 1 ? "1 step was" : "\(position.skipped) steps were"
      let before = position.skipped > 0 ? "\(steps) left out before: " : ""
      throw RunError(
        "\(before)\(what) (\(details)); nothing of this step was applied: lower optimizer.lr or lengthen the warm-up",
        exitCode: .badData)
    }
    if run.world.rank == 0 {
      let cumulative = run.configuration.cumulativeIters
      let window = cumulative > 1 ? " with all the gradients of its \(cumulative) cumulative iterations" : ""
      run.logger.warning(
        "\(what) (\(details)): left out\(window), \(position.skipped + 1) of at most \(section.maxNonFinite)")
    }
  }
}
