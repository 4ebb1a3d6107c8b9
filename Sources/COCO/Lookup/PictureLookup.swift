import Foundation
import Primitives

extension CocoDataset {
  /// Looks up pictures that take part.
  /// - Parameters:
  ///   - places: which of `images`; the ranks of a run share them.
  ///   - check: what is looked at; with `.none` nothing is.
  ///   - progress: called every thousand pictures.
  public func lookUp(_ places: Range<Int>, _ check: PictureCheck, progress: () -> Void = {}) -> PictureReport {
    var report = PictureReport()
    guard check != .none, !places.isEmpty else { return report }
    let folderFault = pictures.fault
    report.folderFault = folderFault
    let neighbours = pictures.nearMisses
    for place in places {
      if place % 1000 == 999 { progress() }
      let name = images.fileName(at: place)
      let path = pictures.path(of: name)
      func fault(_ text: String) -> PictureReport.Fault {
        PictureReport.Fault(place: place, text: "image \(images.identifier(at: place)): \(path)\(text)")
      }
      switch pictures.state(of: name) {
      case .missing:
        report.addMissing(
          fault(folderFault == nil ? neighbours.hint(for: name).map { " (\($0))" } ?? "" : ""))
      case .unusable(let reason): report.addUnusable(fault(" \(reason)"))
      case .there:
        guard check == .headers else { continue }
        do {
          let header = try pictures.header(of: name, pictureRules)
          if let difference = header.difference(from: images.size(at: place)) {
            report.addOtherSize(fault(": \(difference)"))
          } else if header.isDeep, report.deep.wantsAnother(of: header.size) {
            let file = try pictures.read(name, limit: ImageDecoder.maximumBytes)
            let highest = try PNGDecoder.highestValue(in: file, path: path, pictureRules)
            report.deep.add(highest, of: header.size, place: place)
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
  public func error(of report: PictureReport) -> COCOError? { report.error(in: self, count: images.distinct.count) }
}
