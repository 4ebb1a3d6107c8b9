import COCO
import MPI
import Primitives

/// Where a data set's pictures are. The headers of an archive are read once a node; the ranks of a node share one index.
package enum SharedPictureSource {
  /// Collective.
  /// - Parameter prefix: `img_prefix`.
  /// - Throws: on all ranks, as a `CommonError`, the `COCOError` of the first rank that can't use its node's archive;
  ///   `MPIError`.
  package static func open(_ prefix: String, in world: World) throws -> PictureSource {
    let first = Result { try world.localRank == 0 ? PictureSource(prefix) : nil }
    try world.agree(on: first)
    let source = try first.get()
    // Nodes are not bound to have the same: whether any has an archive.
    let hasArchive = try world.gathered(source?.index != nil).contains(true)
    guard try world.shared(hasArchive) else { return try source ?? PictureSource(prefix) }
    let memory = try world.localSize > 1 ? world.shareOnNode(source?.index?.bytes) : nil
    let opened = Result {
      if let source { return source }
      guard let memory else { bug("the first rank of a node has opened its archive itself") }
      return try PictureSource(prefix, index: memory.bytes.isEmpty ? nil : TarIndex(memory.bytes, owner: memory))
    }
    try world.agree(on: opened)
    return try opened.get()
  }
}
