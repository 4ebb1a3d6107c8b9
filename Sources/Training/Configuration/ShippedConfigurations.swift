import Foundation
import Primitives

/// The configurations that come with the program: of the installed tree that it stands in, or of the clone that it was
/// built in. So `_base_: configs/bccd.yaml` works in any folder.
public struct ShippedConfigurations: Sendable {
  /// The folder that `configs` stands in.
  let root: String

  /// Those of the running program; nil where it stands alone.
  public static let ofThisProgram = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    .flatMap { ShippedConfigurations(executable: $0) }

  /// - Parameter executable: the program's path, without links in it.
  public init?(executable: String) {
    let folder = Folder.above(executable)
    var candidates = [Folder.join(Folder.above(folder), "share/rcnn-train")]
    // A build folder: of `/clone/.build/release` it is `/clone`.
    var part = folder
    while part != "/", !part.isEmpty {
      let above = Folder.above(part)
      if part.dropFirst(above == "/" ? 1 : above.count + 1).hasPrefix(".build") { candidates.append(above) }
      part = above
    }
    guard let root = candidates.first(where: { Folder.exists(Folder.join($0, "configs")) }) else { return nil }
    self.root = root
  }

  /// Where a configuration of this name would be, with or without `configs/` before it; nil for a name that says where
  /// its file is: from the root, from `.` or from `..`.
  func path(of name: String) -> String? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !parts.contains(where: { ["", ".", ".."].contains($0) }) else { return nil }
    return Folder.join(root, parts[0] == "configs" && parts.count > 1 ? name : "configs/\(name)")
  }

  private static let endings = [".yaml", ".yml", ".json", ".py"]

  /// What a configuration's name may be that begins like this, for a shell: files and folders of the current directory, and
  /// those that come with the program.
  public static func completions(of start: String, shipped: ShippedConfigurations? = .ofThisProgram) -> [String] {
    func files(_ folder: String) -> [Folder.Entry] {
      ((try? Folder.entries(of: folder))?.entries ?? []).filter { entry in
        entry.kind == .folder || endings.contains { entry.name.hasSuffix($0) }
      }
    }
    let folder = start.lastIndex(of: "/").map { String(start[...$0]) } ?? ""
    var found = files(folder).map { folder + $0.name + ($0.kind == .folder ? "/" : "") }
    if let shipped {
      found += files(Folder.join(shipped.root, "configs")).filter { $0.kind == .file }.map { "configs/\($0.name)" }
    }
    return Set(found.filter { $0.hasPrefix(start) }).sorted()
  }
}
