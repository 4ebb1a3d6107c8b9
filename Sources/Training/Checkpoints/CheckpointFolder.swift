import Foundation

/// A folder where a checkpoint is asked for: the newest good one in it.
///
/// The newest is the one that stands furthest in the training (`CheckpointPlace`) by what stands in it, so each file is
/// read. Times of files change with a copy, names with a new batch size, and `latest.h5` may lag behind: a run that is
/// killed can leave a whole file to which the link does not point yet. What is damaged, or holds numbers with which no
/// run can go on, is passed over.
enum CheckpointFolder {
  struct Newest {
    let checkpoint: Checkpoint
    let path: String
    /// The sentences about damaged ones, those with the highest numbers in their names first.
    let passedOver: [String]
    /// All good ones.
    let good: [CheckpointPlace]
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

  /// Of the files that a run writes, `epoch_N.h5`, `iter_N.h5` and `best_….h5`; nil where there are none.
  ///
  /// - Throws: `CheckpointError` (65) if none can be read.
  static func newestOfRun(in workDir: String) throws(CheckpointError) -> Newest? {
    let names = files(in: workDir).filter { name in ["epoch_", "iter_", "best_"].contains { name.hasPrefix($0) } }
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
    var newest: (checkpoint: Checkpoint, place: CheckpointPlace)?
    var (passedOver, good): ([String], [CheckpointPlace]) = ([], [])
    for name in names {
      let path = "\(folder)/\(name)"
      do throws(CheckpointError) {
        let checkpoint = try Checkpoint(image: CheckpointFile.read(path), name: path)
        try checkpoint.requireSound(path: path)
        let place = CheckpointPlace(checkpoint, name: name)
        good.append(place)
        if newest.map({ $0.place < place }) ?? true { newest = (checkpoint, place) }
      } catch {
        passedOver.append("passed over: \(error)")
      }
    }
    guard let newest else {
      throw CheckpointError(description: "\(folder): error: \(message(passedOver))", exitCode: .badData)
    }
    return Newest(
      checkpoint: newest.checkpoint, path: "\(folder)/\(newest.place.name)", passedOver: passedOver, good: good)
  }
}

/// Where in which training a checkpoint of a folder stands.
struct CheckpointPlace: Equatable {
  /// Of its file.
  let name: String
  let epoch: Int
  let imagesInEpoch: Int
  let iteration: Int
  /// Alike in all checkpoints of a run, also when it was resumed.
  let created: String
  let seed: UInt64

  init(_ checkpoint: Checkpoint, name: String) {
    (self.name, epoch, iteration) = (name, checkpoint.epoch, checkpoint.iteration)
    imagesInEpoch = checkpoint.progress["images_in_epoch"] ?? 0
    (created, seed) = (checkpoint.created, checkpoint.seed)
  }

  /// By epoch, then by images: a run that is resumed with a larger batch counts its iterations anew, and lower.
  static func < (one: CheckpointPlace, other: CheckpointPlace) -> Bool {
    (one.epoch, one.imagesInEpoch, one.iteration) < (other.epoch, other.imagesInEpoch, other.iteration)
  }

  /// Whether `other` stands earlier in the same run, or at the same place.
  func follows(_ other: CheckpointPlace) -> Bool {
    !(self < other) && created == other.created && seed == other.seed
  }
}
