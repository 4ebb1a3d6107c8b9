internal import CMachine
import Foundation
import Primitives

/// What the file system of the work directory can do of what checkpoints and logs need. Rank 0 alone writes there.
package enum FolderFindings {
  package static func all(_ workDir: String) -> [Finding] {
    let folder = existing(workDir)
    return [fileSystem(folder), space(folder)].compactMap { $0 } + abilities(folder)
  }

  /// The folder itself, or the nearest one above it that exists.
  private static func existing(_ path: String) -> String {
    var path = path
    while !path.isEmpty, !FileManager.default.fileExists(atPath: path) { path = Folder.above(path) }
    return path.isEmpty ? "." : path
  }

  private static let names: [UInt32: String] = [
    0x6969: "NFS", 0x0BD0_0BD0: "Lustre", 0x4750_4653: "GPFS", 0x1983_0326: "BeeGFS", 0xEF53: "ext4",
    0x5846_5342: "XFS", 0x9123_683E: "Btrfs", 0x0102_1994: "tmpfs", 0x794C_7630: "overlay", 0x6573_5546: "FUSE",
    0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB", 0x2FC1_2FC1: "ZFS", 0x00C3_6400: "CephFS",
  ]

  private static func fileSystem(_ folder: String) -> Finding? {
    let type = machine_file_system(folder)
    guard type != 0 else { return nil }
    let name = names[type] ?? "a file system of type 0x\(String(type, radix: 16))"
    guard name == "tmpfs" else { return Finding("work directory", .good, "\(folder) is on \(name)") }
    return Finding(
      "work directory", .warning, "\(folder) is on tmpfs: it lies in memory, and is gone after a restart",
      remedy: "a --work-dir on a disk")
  }

  /// R101-FPN with its momenta takes about so much.
  private static let checkpoint = 500 << 20

  private static func space(_ folder: String) -> Finding? {
    guard let free = WholeFile.freeBytes(beside: "\(folder)/x") else { return nil }
    let text = "\(free >> 20) MiB free; a checkpoint of R50-FPN has 330 MiB, of R101-FPN 480"
    guard free < 2 * checkpoint else { return Finding("space", .good, text) }
    return Finding("space", .warning, text, remedy: "free some, or choose another --work-dir")
  }

  /// Tries them in a folder of its own, which is gone afterwards.
  private static func abilities(_ folder: String) -> [Finding] {
    let trial = "\(folder)/.rcnn-doctor-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: trial) }
    do {
      try Folder.make(trial)
      let start = ContinuousClock.now
      try WholeFile.write([UInt8](repeating: 1, count: 1 << 20), to: "\(trial)/whole", safety: .verified)
      let seconds = start.duration(to: .now).seconds
      var findings = [
        Finding(
          "writing", seconds < 5 ? .good : .warning,
          "1 MiB written, synced, read back and renamed in \(fixed(seconds * 1000, 0)) ms",
          remedy: seconds < 5 ? nil : "a faster --work-dir: each checkpoint and log line waits for it")
      ]
      do { try WholeFile.link("\(trial)/link", to: "whole") } catch {
        findings.append(
          Finding("links", .warning, "no symbolic links (\(error.reason)): latest.h5 can't be made", remedy: elsewhere))
      }
      return findings + [locks(trial)]
    } catch {
      return [Finding("writing", .warning, "\(folder) can't be written to (\(error.reason))", remedy: elsewhere)]
    }
  }

  private static let elsewhere = "another --work-dir"

  private static func locks(_ folder: String) -> Finding {
    let file = open("\(folder)/lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { return Finding("locks", .warning, String(cString: strerror(errno)), remedy: elsewhere) }
    defer { close(file) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      return Finding(
        "locks", .notice, "files can't be locked here (\(String(cString: strerror(errno))))",
        remedy: "nothing has to be done: the work directory is guarded by a file, and HDF5 never opens a file of ours")
    }
    return Finding("locks", .good, "files can be locked")
  }
}
