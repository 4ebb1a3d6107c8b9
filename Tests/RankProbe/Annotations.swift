import COCO
import Foundation
import MPI
import Training

/// Only the first rank of the node has a file: the others know a path that does not exist, and get the same content.
/// With `copies`, as where shared memory is too small.
func checkSharedAnnotations(_ world: World, copies: Bool) throws {
  let path = world.localRank == 0 ? try writeAnnotations("annotations-\(getpid()).json", images: 40) : "/nowhere.json"
  defer { try? FileManager.default.removeItem(atPath: path) }
  var configuration = DatasetConfiguration()
  configuration.annFile = path
  let file = try SharedAnnotations.load(configuration, in: world, usesWindow: !copies)
  try expect(file.images.map(\.id) == (0..<40).map { 1000 - $0 }, "the images are \(file.images.map(\.id))")
  try expect(file.images.map(\.fileName) == (0..<40).map { "\($0).jpg" }, "the names differ")
  let ids = file.annotations.map { file.annotationIdentifier($0.id) }
  try expect(ids == (0..<40).map { .text("a\($0)") }, "the annotations are \(ids)")
  try expect(file.annotations.allSatisfy { $0.width == 0.1 && $0.categoryID == 7 }, "the boxes differ")
  let hasNotice = file.findings.contains { $0.text.contains("of this node holds a copy") }
  try expect(hasNotice == (copies && world.localSize > 1), "the findings are \(file.findings)")
  // Some ranks still read when others are at the end.
  try world.barrier()
  try expect(file.annotations.reduce(0) { $0 + $1.height } == 80, "the content has changed")
}

/// The first rank of the node meets a file that is cut short.
func shareBrokenAnnotations(_ world: World) throws {
  let path = "broken-annotations-\(getppid()).json"
  let file = FileManager.default.temporaryDirectory.appendingPathComponent(path)
  if world.localRank == 0 { try Data("{\"images\": [".utf8).write(to: file) }
  defer { if world.localRank == 0 { try? FileManager.default.removeItem(at: file) } }
  do {
    var configuration = DatasetConfiguration()
    configuration.annFile = file.path
    _ = try SharedAnnotations.load(configuration, in: world)
  } catch {
    let text = "\(error)".replacingOccurrences(of: file.path, with: "FILE")
    Probe.say("rank \(world.rank): \(text)")
    return
  }
  throw Wrong("a broken file was read")
}

private func writeAnnotations(_ name: String, images: Int) throws -> String {
  let image = (0..<images).map { "{\"id\": \(1000 - $0), \"file_name\": \"\($0).jpg\", \"width\": 64, \"height\": 48}" }
  let boxes = (0..<images).map {
    "{\"id\": \"a\($0)\", \"image_id\": \(1000 - $0), \"category_id\": 7, \"bbox\": [1.5, 2, 0.1, 2]}"
  }
  let text = """
    {"images": [\(image.joined(separator: ", "))], "annotations": [\(boxes.joined(separator: ", "))],
     "categories": [{"id": 7, "name": "cat"}]}
    """
  let file = FileManager.default.temporaryDirectory.appendingPathComponent(name)
  try Data(text.utf8).write(to: file)
  return file.path
}
