import Foundation
import Primitives

extension CocoDataset {
  /// The pictures that this data set and another one both name, by the files that the names stand for; nil where there are
  /// none.
  /// - Parameters:
  ///   - other: the other data set.
  ///   - names: what the two are called, for example `train` and `val`.
  public func picturesShared(with other: CocoDataset, names: (String, String)) -> DatasetFinding? {
    // Nearly always no name is equal, and no path is made.
    let known = Set(images.distinct.lazy.map { images.baseNameHash(at: $0) })
    let candidates = other.images.distinct.filter { known.contains(other.images.baseNameHash(at: $0)) }
    guard !candidates.isEmpty else { return nil }
    let hashes = Set(candidates.lazy.map { other.images.baseNameHash(at: $0) })
    let (here, there) = (PictureResolver(self), PictureResolver(other))
    let mine = Set(
      images.distinct.lazy.filter { hashes.contains(images.baseNameHash(at: $0)) }.map { here.path(at: $0) })
    let shared = candidates.filter { mine.contains(there.path(at: $0)) }
    guard !shared.isEmpty else { return nil }
    var tally = Tally<FileIdentifier>()
    for place in shared { tally.add(other.images.identifier(at: place)) }
    let list = Examples.list(shared.prefix(Examples.shownCount).map { other.images.fileName(at: $0) }, of: shared.count)
    return DatasetFinding(
      .sharedPictures, of: tally,
      "\(shared.count) pictures are in \(names.0) and in \(names.1): \(list); what is measured there says little about "
        + "pictures that were not trained on")
  }
}

/// Names as the file system sees them: links in the image folder, and `.` and `..` in the names, are followed.
private struct PictureResolver {
  private let dataset: CocoDataset
  private let folder: [Substring]

  init(_ dataset: CocoDataset) {
    self.dataset = dataset
    let folder = dataset.imageFolder.isEmpty ? "." : dataset.imageFolder
    let path = realpath(folder, nil)
    defer { free(path) }
    self.folder = (path.map { String(cString: $0) } ?? folder).split(separator: "/")
  }

  func path(at place: Int) -> String {
    var parts = folder
    for part in dataset.images.fileName(at: place).split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return parts.joined(separator: "/")
  }
}

extension CocoDataset.Images {
  fileprivate func baseNameHash(at index: Int) -> UInt64 { FNV1a.hash(of: file.block.baseName(Int(positions[index]))) }
}
