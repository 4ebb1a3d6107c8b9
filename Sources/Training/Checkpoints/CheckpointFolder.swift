import Foundation

/// A folder where a checkpoint is asked for: the newest good one in it.
///
/// The newest is that of the highest iteration by what stands in it, so each file is read. Times of files change with a
/// copy, names with a new batch size, and `latest.h5` may lag behind: a run that is killed can leave a whole file to
/// which the link does not point yet.
enum CheckpointFolder {
  struct Newest {
    let checkpoint: Checkpoint
    let path: String
    /// The sentences about damaged ones, those with the highest numbers in their names first.
    let passedOver: [String]
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// Of all `.h5` files.
  ///
  /// - Throws: `CheckpointError` if there is none (66), or none that can be read (65).
  static func newest(in folder: String) throws(CheckpointError) -> Newest {
    let names = files(in: folder)
    guard !names.isEmpty else {
      throw CheckpointError(
        description: "\(folder): error: this folder holds no checkpoint (an .h5 file); name a file",
        exitCode: .inputMissing)
    }
    return try newest(of: names, in: folder) { "none of its \($0.count) checkpoints can be read: \($0[0])" }
  }

  /// Of the files that a run writes, `epoch_N.h5` and `iter_N.h5`; nil where there are none.
  ///
  /// - Throws: `CheckpointError` (65) if none can be read.
  static func newestOfRun(in workDir: String) throws(CheckpointError) -> Newest? {
    let names = files(in: workDir).filter { $0.hasPrefix("epoch_") || $0.hasPrefix("iter_") }
    guard !names.isEmpty else { return nil }
    return try newest(of: names, in: workDir) {
      "none of its \($0.count) checkpoints can be read; start anew without --resume"
    }
  }

  /// The `.h5` files, without links to others of them; the highest numbers first, and of equal ones by the alphabet.
  private static func files(in folder: String) -> [String] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasSuffix(".h5") && !$0.hasPrefix(".") }
    let own = names.filter { name in
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
      return target.map { $0 == name || !names.contains($0) } ?? true
    }
    func number(_ name: String) -> Int { Int(name.dropLast(3).drop { !$0.isNumber }) ?? -1 }
    return own.sorted { (number($1), $0) < (number($0), $1) }
  }

  private static func newest(
    of names: [String], in folder: String, otherwise message: (_ passedOver: [String]) -> String
  ) throws(CheckpointError) -> Newest {
    var newest: (checkpoint: Checkpoint, path: String)?
    var passedOver: [String] = []
    for path in names.map({ "\(folder)/\($0)" }) {
      do throws(CheckpointError) {
        let checkpoint = try Checkpoint(image: CheckpointFile.read(path), name: path)
        if checkpoint.iteration > newest?.checkpoint.iteration ?? .min { newest = (checkpoint, path) }
      } catch {
        passedOver.append("passed over: \(error)")
      }
    }
    guard let newest else {
      throw CheckpointError(description: "\(folder): error: \(message(passedOver))", exitCode: .badData)
    }
    return Newest(checkpoint: newest.checkpoint, path: newest.path, passedOver: passedOver)
  }
}
