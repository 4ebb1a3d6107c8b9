import Foundation

/// A folder where a checkpoint is asked for: the newest good one in it.
enum CheckpointFolder {
  struct Newest {
    let checkpoint: Checkpoint
    let path: String
    /// The sentences about damaged ones, newest first.
    let passedOver: [String]
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// What `latest.h5` names; where that is damaged or missing, the one of the highest iteration by what stands in it.
  ///
  /// - Throws: `CheckpointError` if there is none (66), or none that can be read (65).
  static func newest(in folder: String) throws(CheckpointError) -> Newest {
    var passedOver: [String] = []
    func read(_ path: String) -> Checkpoint? {
      do throws(CheckpointError) {
        return try Checkpoint(image: CheckpointFile.read(path), name: path)
      } catch {
        passedOver.append("passed over: \(error)")
        return nil
      }
    }
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    let latest = "\(folder)/latest.h5"
    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: latest)
    if names.contains("latest.h5"), let checkpoint = read(latest) {
      return Newest(checkpoint: checkpoint, path: target.map { "\(folder)/\($0)" } ?? latest, passedOver: [])
    }
    let others = names.filter { $0.hasSuffix(".h5") && !$0.hasPrefix(".") && $0 != "latest.h5" && $0 != target }
    var newest: (checkpoint: Checkpoint, path: String)?
    for name in others {
      guard let checkpoint = read("\(folder)/\(name)") else { continue }
      if (newest.map { $0.checkpoint.iteration < checkpoint.iteration }) ?? true {
        newest = (checkpoint, "\(folder)/\(name)")
      }
    }
    if let newest { return Newest(checkpoint: newest.checkpoint, path: newest.path, passedOver: passedOver) }
    guard passedOver.isEmpty else {
      throw CheckpointError(
        description: "\(folder): error: none of its \(passedOver.count) checkpoints can be read: \(passedOver[0])",
        exitCode: .badData)
    }
    throw CheckpointError(
      description: "\(folder): error: this folder holds no checkpoint (an .h5 file); name a file",
      exitCode: .inputMissing)
  }
}
