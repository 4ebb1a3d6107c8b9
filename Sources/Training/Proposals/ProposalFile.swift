import COCO
import Foundation
import HDF5
import MPI
import Primitives

/// Files of proposals (`proposal_file`): mmdetection's, a pickle of a list with a NumPy array for each image, in the order
/// of the annotation file, `[n, 4]` or `[n, 5]` (x1, y1, x2, y2 in pixels of the stored picture, and a score); or HDF5 with a
/// data set of that shape for each image, which is called by the image's id (`%2F` stands for a slash in it).
package enum ProposalFile {
  package enum Format: Equatable { case pickle, hdf5 }

  /// - Parameters:
  ///   - use: the file, and how many of an image's boxes are wanted.
  ///   - file: whose images they are for.
  /// - Throws: `COCOError`.
  package static func read(_ use: ProposalUse, for file: AnnotationFile) throws -> ProposalBlock {
    let bytes = try FileContent.read(use.file, limit: 1 << 36)
    do {
      if bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) { return try read(hdf5: bytes, use, for: file) }
      if bytes.first == 0x80 { return try read(pickle: bytes, use, for: file) }
    } catch let failure as PickleReader.Failure {
      throw COCOError(at: use.file, failure.reason)
    } catch is ByteReader.EndOfData {
      throw COCOError(at: use.file, "the file was cut off or is damaged")
    } catch let error as HDF5Error {
      throw COCOError(at: use.file, "\(error)")
    }
    throw COCOError(
      at: use.file,
      "is \(FileContent.describe(Array(bytes.prefix(4096)))), expected proposals: a pickle or an HDF5 file")
  }

  private static func read(pickle bytes: [UInt8], _ use: ProposalUse, for file: AnnotationFile) throws -> ProposalBlock
  {
    // A list of COCO's training images takes some four million.
    let heap = PickleHeap(limit: 100_000_000)
    var reader = try ByteReader(bytes[...])
    let value = try PickleReader(&reader, heap).value
    guard let arrays = value.items else {
      throw PickleReader.Failure("it holds no list, expected one with an array for each image")
    }
    guard arrays.count == file.images.count else {
      throw PickleReader.Failure(
        "it holds proposals for \(arrays.count) images, but \(file.path) has \(file.images.count); expected an array for "
          + "each of them, in their order")
    }
    return ProposalBlock(
      try zip(arrays, file.images).enumerated().map { number, pair in
        let (value, image) = pair
        let place = "the array of image \(file.imageIdentifier(image.id)), number \(number + 1),"
        guard case .array(let array) = value else { throw PickleReader.Failure("\(place) is no array of numbers") }
        return try boxes(array.floats(), shape: array.shape, use, place)
      })
  }

  private static func read(hdf5 bytes: [UInt8], _ use: ProposalUse, for file: AnnotationFile) throws -> ProposalBlock {
    let content = try HDF5File(image: bytes, name: use.file)
    let names = Set(try content.members(of: "/"))
    guard names.count == file.images.count else {
      throw PickleReader.Failure(
        "it holds proposals for \(names.count) images, but \(file.path) has \(file.images.count); expected a data set for "
          + "each of them, called by its id")
    }
    return ProposalBlock(
      try file.images.map { image in
        let name = name(of: file.imageIdentifier(image.id))
        guard names.contains(name) else {
          throw PickleReader.Failure("it has no data set '\(name)': \(file.path) has an image of this id")
        }
        guard try content.numberType(of: "/\(name)") != .none else {
          throw PickleReader.Failure("the data set '\(name)' holds no numbers")
        }
        return try boxes(
          content.floats("/\(name)"), shape: content.shape(of: "/\(name)"), use, "the data set of image \(name)")
      })
  }

  private static func boxes(_ values: [Float], shape: [Int], _ use: ProposalUse, _ place: String) throws -> [Box] {
    guard shape.count == 2, shape[1] == 4 || shape[1] == 5 else {
      throw PickleReader.Failure("\(place) has the shape \(shape), expected [n, 4] or [n, 5]")
    }
    let count = min(shape[0], use.numMaxProposals ?? shape[0])
    return try (0..<count).map { row in
      let first = row * shape[1]
      let box = Box(values[first], values[first + 1], values[first + 2], values[first + 3])
      guard box.isFinite else { throw PickleReader.Failure("\(place) has a box that is not finite, in row \(row)") }
      return box
    }
  }

  /// Of a data set, which a slash would put into a group.
  private static func name(of id: FileIdentifier) -> String {
    switch id {
    case .number(let number): "\(number)"
    case .text(let text): text.replacing("/", with: "%2F")
    }
  }

  /// What a name says; nil for neither.
  package static func format(of path: String) -> Format? {
    switch (path as NSString).pathExtension.lowercased() {
    case "pkl", "pickle": .pickle
    case "h5", "hdf5": .hdf5
    default: nil
    }
  }

  /// - Parameters:
  ///   - images: for each image its id as the annotation file writes it, and rows of x1, y1, x2, y2 and score.
  /// - Throws: `OutputError`, `HDF5Error`.
  package static func write(_ images: [(id: FileIdentifier, rows: [Float])], _ format: Format, to path: String) throws {
    switch format {
    case .pickle:
      var pickle = PickleWriter(protocol: 3)
      pickle.list { for image in images { $0.array(image.rows, columns: 5) } }
      try OutputError.orWrite(pickle.finished, to: path, safety: .synced)
    case .hdf5:
      let file = try HDF5Writer()
      for image in images {
        try file.write(image.rows, shape: [image.rows.count / 5, 5], to: "/\(name(of: image.id))")
      }
      try OutputError.orWrite(file.image(), to: path, safety: .synced)
    }
  }
}

/// Proposals are read once a node; the ranks of a node share one copy.
enum SharedProposals {
  /// Collective.
  /// - Returns: nil where the configuration names none.
  /// - Throws: on all ranks, as a `CommonError`, the `COCOError` of the first rank that can't use its node's file;
  ///   `MPIError`.
  static func load(_ use: ProposalUse?, for file: AnnotationFile, in world: World) throws -> ProposalBlock? {
    guard let use else { return nil }
    let read = Result { try world.localRank == 0 ? ProposalFile.read(use, for: file) : nil }
    try world.agree(on: read)
    let block = try read.get()
    if let block, world.localSize == 1 { return block }
    guard let memory = try world.shareOnNode(block?.bytes) else {
      bug("a world without a launcher has one rank, which reads the file itself")
    }
    return ProposalBlock(memory.bytes, owner: memory)
  }
}
