import COCO
import Foundation
import MPI
import Primitives

/// A bad picture, and who met it.
struct FoundBadPicture: Codable, Equatable {
  let picture: BadPicture
  let rank: Int
  let host: String

  /// `data/train/7.jpg (image 7): the picture is cut short: …`
  var summary: String { "\(picture.error.place) (image \(picture.identifier)): \(picture.error.message)" }

  /// The error that it is, with who met it.
  /// - Parameter ranks: of the run.
  func sentence(ranks: Int) -> String {
    "\(picture.error) (image \(picture.identifier), read by rank \(rank) of \(ranks) on \(host))"
  }
}

/// The bad pictures of all ranks' shares of a batch or an evaluation.
struct FoundBadPictures: Codable {
  var all: [FoundBadPicture] = []
  /// Whether a place is empty, since nothing could be put there.
  var hasEmptyPlaces = false
}

extension World {
  /// What the ranks found, in their order; the same on all. Collective.
  /// - Throws: `MPIError`.
  func badPictures(_ mine: [BadPicture], hasEmptyPlaces: Bool = false) throws -> FoundBadPictures {
    let host = ProcessInfo.processInfo.hostName
    let own = FoundBadPictures(
      all: mine.map { FoundBadPicture(picture: $0, rank: rank, host: host) }, hasEmptyPlaces: hasEmptyPlaces)
    var found = FoundBadPictures()
    for part in try gathered(own) {
      found.all += part.all
      found.hasEmptyPlaces = found.hasEmptyPlaces || part.hasEmptyPlaces
    }
    return try shared(found)
  }
}

/// The list of bad pictures in a message: the first few.
enum BadPictureList {
  static func lines(_ pictures: [FoundBadPicture]) -> String {
    FirstFew.lines(pictures.map(\.summary), most: 20)
  }
}
