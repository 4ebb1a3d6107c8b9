import COCO
import MPI
import Primitives

/// Annotation files are parsed once a node; the ranks of a node read one copy of what is in them.
package enum SharedAnnotations {
  /// Collective.
  /// - Parameters:
  ///   - configuration: the data set whose files are read.
  ///   - usesWindow: false gives each rank a copy, as where shared memory is too small.
  /// - Throws: on all ranks, as a `CommonError`, the `COCOError` of the first rank that can't use its node's file;
  ///   `MPIError`.
  package static func load(
    _ configuration: DatasetConfiguration, in world: World, usesWindow: Bool = true
  ) throws -> AnnotationFile {
    let path = configuration.annotationPath
    let parsed = Result { try world.localRank == 0 ? configuration.readAnnotations() : nil }
    try world.agree(on: parsed)
    let file = try parsed.get()
    if let file, world.localSize == 1 { return file }
    guard let memory = try world.shareOnNode(file?.block.bytes, usesWindow: usesWindow) else {
      bug("a world without a launcher has one rank, which reads the file itself")
    }
    let block = AnnotationBlock(memory.bytes, owner: memory)
    return AnnotationFile(path: path, block: block, notice: memory.notice.map { "\(path): \($0)" })
  }
}
