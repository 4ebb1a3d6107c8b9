import COCO
import Foundation
import MPI
import Primitives

/// Annotation files are parsed once a node; the ranks of a node read one copy of what is in them.
package enum SharedAnnotations {
  /// Collective.
  /// - Parameter usesWindow: false gives each rank a copy, as where shared memory is too small.
  /// - Throws: on all ranks, as a `CommonError`, the `COCOError` of the first rank that can't use its node's file;
  ///   `MPIError`.
  package static func load(_ path: String, in world: World, usesWindow: Bool = true) throws -> AnnotationFile {
    let parsed = Result { try world.localRank == 0 ? AnnotationFile(reading: path) : nil }
    try agree(on: parsed, in: world)
    let file = try parsed.get()
    if let file, world.localSize == 1 { return file }
    guard let memory = try world.shareOnNode(file?.block.bytes, usesWindow: usesWindow) else {
      bug("a world without a launcher has one rank, which reads the file itself")
    }
    let block = AnnotationBlock(memory.bytes, owner: memory)
    return AnnotationFile(path: path, block: block, notice: memory.notice.map { "\(path): \($0)" })
  }

  /// Throws on all ranks what the first of them has met.
  private static func agree(on result: Result<AnnotationFile?, any Error>, in world: World) throws {
    var failure: Failure?
    if case .failure(let error as COCOError) = result { failure = Failure(rank: world.rank, error: error) }
    let first = try world.gathered(failure).lazy.compactMap { $0 }.first
    guard let failure = try world.shared(first) else { return }
    let error = failure.error
    guard failure.rank > 0, world.rank == 0 else { throw CommonError(underlying: error) }
    let message = "\(error.message) (rank 0 can use its file, rank \(failure.rank) cannot)"
    throw CommonError(underlying: COCOError(error.kind, at: error.place, message))
  }

  /// What the first rank that can't use its node's file has met.
  private struct Failure: Codable {
    let rank: Int
    let error: COCOError
  }
}
