import COCO
import MPI

/// Annotation files, parsed once a node.
package enum SharedAnnotations {
  package static func load(_ path: String, in world: World) throws -> AnnotationFile {
    try AnnotationFile(reading: path)
  }
}
