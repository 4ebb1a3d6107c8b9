import Foundation
import Primitives
internal import SwiftProtobuf

/// A TensorBoard event file that grows: `events.out.tfevents.<seconds since 1970>.<host>.<process>`.
///
/// Each event is on its way to the disk when `write` returns, so that a process that is killed leaves a file that can be
/// read up to its last event. Nothing is ever written to an older file: it stays as it was, also where its end is torn.
public final class EventFile {
  public let path: String
  private let stream: FileStream

  /// Makes the folder and a file in it that sorts behind all others there, since readers take them by name.
  /// - Parameters:
  ///   - folder: where the file is to stand.
  ///   - step: what older files of the folder hold of this step and later ones is shown no more, as after a resume.
  public init(in folder: String, startingAt step: Int) throws(FileError) {
    try Folder.make(folder)
    path = Folder.join(folder, Self.name(in: folder, at: Date()))
    stream = try FileStream(creating: path, isNew: true)
    var version = Event()
    version.fileVersion = "brain.Event:2"
    try write(version)
    var start = Event()
    start.step = Int64(step)
    start.sessionLog.status = .start
    try write(start)
  }

  /// Adds values of a step, 1-based: all of them or, where the system fails, a torn end, after which this file is no longer
  /// of use.
  public func write(_ values: [SummaryValue], step: Int) throws(FileError) {
    var event = Event()
    event.step = Int64(step)
    event.summary.value = values.map(\.message)
    try write(event)
  }

  private func write(_ event: Event) throws(FileError) {
    var event = event
    event.wallTime = Date().timeIntervalSince1970
    guard let bytes: [UInt8] = try? event.serializedBytes() else { bug("an event of TensorBoard's is beyond 2 GiB") }
    try stream.write(TensorRecord.framed(bytes))
  }

  // MARK: Names

  private static let prefix = "events.out.tfevents."

  /// A second later than the newest file, where the clock does not say so itself.
  private static func name(in folder: String, at date: Date) -> String {
    let entries = (try? Folder.entries(of: folder))?.entries ?? []
    let newest = entries.compactMap { entry -> Int? in
      guard entry.name.hasPrefix(prefix) else { return nil }
      return Int(entry.name.dropFirst(prefix.count).prefix { $0 != "." }).flatMap { $0 < 1 << 40 ? $0 : nil }
    }.max()
    let seconds = max(Int(date.timeIntervalSince1970), (newest ?? 0) + 1)
    let digits = String(seconds)
    let padded = String(repeating: "0", count: max(0, 10 - digits.count)) + digits
    let process = ProcessInfo.processInfo
    return "\(prefix)\(padded).\(process.hostName).\(process.processIdentifier)"
  }
}
