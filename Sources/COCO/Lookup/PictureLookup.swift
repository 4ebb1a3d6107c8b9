import Foundation
import Primitives

extension CocoDataset {
  /// Looks up pictures that take part.
  /// - Parameters:
  ///   - places: which of `images`; the ranks of a run share them.
  ///   - progress: called every thousand pictures.
  public func lookUp(_ places: Range<Int>, _ check: PictureCheck, progress: () -> Void = {}) -> PictureReport {
    var report = PictureReport()
    guard check != .none, !places.isEmpty else { return report }
    let folder = imageFolder.isEmpty ? "." : imageFolder
    let folderFault = Self.fault(ofFolder: folder)
    report.folderFault = folderFault
    let neighbours = NearMisses(in: folder)
    for place in places {
      if place % 1000 == 999 { progress() }
      let name = images.fileName(at: place)
      let path = path(ofFile: name)
      func fault(_ text: String) -> PictureReport.Fault {
        PictureReport.Fault(place: place, text: "image \(images.identifier(at: place)): \(path)\(text)")
      }
      switch PictureFile(path) {
      case .missing:
        report.addMissing(
          fault(folderFault == nil ? neighbours.hint(for: name).map { " (\($0))" } ?? "" : ""))
      case .unusable(let reason): report.addUnusable(fault(" \(reason)"))
      case .there:
        guard check == .headers else { continue }
        do {
          let header = try PictureHeader(reading: path, pictureRules)
          if let difference = header.difference(from: images.size(at: place)) {
            report.addOtherSize(fault(": \(difference)"))
          } else if header.isDeep, report.deep.wantsAnother(of: header.size) {
            report.deep.add(try PNGDecoder.highestValue(in: path), of: header.size, place: place)
          } else if header.isDeep {
            report.deep.addUnread()
          }
        } catch let error as COCOError {
          report.addUnusable(fault(": \(error.message)"))
        } catch { report.addUnusable(fault(": \(error)")) }
      }
    }
    return report
  }

  /// The error that a report means; nil where nothing is wrong.
  /// - Parameter report: of all pictures.
  public func error(of report: PictureReport) -> COCOError? { report.error(in: self, count: images.count) }

  private static func fault(ofFolder path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return "the folder '\(path)' (img_prefix) does not exist" }
    return status.st_mode & S_IFMT == S_IFDIR ? nil : "'\(path)' (img_prefix) is no folder"
  }
}

/// What a `stat` says of a picture.
private enum PictureFile {
  case there, missing
  /// Why no picture can be read from it.
  case unusable(String)

  init(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let number = errno
      self =
        number == ENOENT || number == ENOTDIR
        ? .missing : .unusable("cannot be read: \(String(cString: strerror(number)))")
      return
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = status.st_size > 0 ? .there : .unusable("is an empty file")
    case S_IFDIR: self = .unusable("is a folder, not a file")
    default: self = .unusable("is not a regular file")
    }
  }
}
