import COCO
import Foundation
import MPI
import Primitives

/// The bad pictures of a training and what becomes of them: `mpi.on_bad_picture`. All ranks know the same.
final class BadPictures {
  private let run: RunSetup
  /// Each picture once, in the order in which this process met them.
  private var known: [FoundBadPicture] = []
  private var ofEpoch: [FoundBadPicture] = []
  /// Why the run is to end, once it is.
  private(set) var failure: RunError?
  /// The images of the newest batch that came in others' places, by their places in the epoch.
  private(set) var replacements: [Int: Int64] = [:]

  init(_ run: RunSetup) { self.run = run }

  /// Of different pictures.
  var count: Int { known.count }

  /// Whether the step on a batch is to be taken, of which some rank has bad pictures. Collective.
  /// - Parameter batch: this rank's share.
  func accepts(_ batch: Batch) throws -> Bool {
    let found = try run.world.badPictures(batch.badPictures, hasEmptyPlaces: batch.hasEmptyPlaces)
    replacements = [:]
    var new: [FoundBadPicture] = []
    for one in found.all {
      if let image = one.picture.replacement { replacements[one.picture.place] = image }
      if add(one, to: &known) { new.append(one) }
      _ = add(one, to: &ofEpoch)
    }
    failure = failure(of: found, new)
    if failure == nil { for one in new { warn(of: one) } }
    return failure == nil
  }

  /// Those that the epoch met; the next one begins.
  func endEpoch() -> [FoundBadPicture] {
    defer { ofEpoch = [] }
    return ofEpoch
  }

  private func add(_ found: FoundBadPicture, to list: inout [FoundBadPicture]) -> Bool {
    guard !list.contains(where: { $0.picture.imageID == found.picture.imageID }) else { return false }
    list.append(found)
    return true
  }

  private func failure(of found: FoundBadPictures, _ new: [FoundBadPicture]) -> RunError? {
    let section = run.configuration.mpi
    guard let first = new.first ?? found.all.first else { return nil }
    let (sentence, code) = (first.sentence(ranks: run.world.size), first.picture.error.exitCode)
    let others = known.filter { $0.picture.imageID != first.picture.imageID }
    let list = others.isEmpty ? "" : "; the others:\(BadPictureList.lines(others))"
    guard section.onBadPicture == .skip else {
      return RunError(
        "\(sentence); mend it, or let 'mpi.on_bad_picture: skip' put another in its place\(list)", exitCode: code)
    }
    if known.count > section.maxBadPictures {
      let limit = "more than 'mpi.max_bad_pictures: \(section.maxBadPictures)' allows"
      return RunError("\(sentence); that is \(known.count) bad pictures, \(limit)\(list)", exitCode: code)
    }
    guard found.hasEmptyPlaces else { return nil }
    return RunError(
      "\(sentence); no other picture of its aspect-ratio group fits into its batch\(list)", exitCode: code)
  }

  private func warn(of found: FoundBadPicture) {
    guard run.world.rank == 0 else { return }
    let place = found.picture.replacement.map { "image \($0) takes its place" } ?? "left out"
    run.logger.warning(
      """
      \(found.sentence(ranks: run.world.size)): \(place); \(known.count) of at most \
      \(run.configuration.mpi.maxBadPictures) bad pictures
      """)
  }
}
