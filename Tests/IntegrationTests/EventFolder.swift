import Foundation
import SwiftProtobuf
import TensorBoard
import Testing

/// What stands in the event files of a folder, file by file in the order of their names.
struct EventFolder {
  let files: [[Event]]

  init(_ path: String) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    files = try names.map { name in
      try Self.events([UInt8](Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))))
    }
  }

  /// - Throws: where a record is torn or its frame is another one.
  private static func events(_ bytes: [UInt8]) throws -> [Event] {
    var (rest, events) = (bytes[...], [Event]())
    while !rest.isEmpty {
      let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      try #require(rest.count >= 16 + length)
      let message = Array(rest.dropFirst(12).prefix(length))
      try #require(Array(rest.prefix(16 + length)) == TensorRecord.framed(message))
      events.append(try Event(serializedBytes: message))
      rest = rest.dropFirst(16 + length)
    }
    return events
  }

  /// The points of a curve in all files.
  func points(_ tag: String) -> [(step: Int, value: Float)] {
    files.joined().flatMap { event in
      event.summary.value.filter { $0.tag == tag }.map { (step: Int(event.step), value: $0.simpleValue) }
    }
  }

  func steps(_ tag: String) -> [Int] { points(tag).map(\.step) }

  /// All names, each once.
  var tags: Set<String> { Set(files.joined().flatMap { $0.summary.value.map(\.tag) }) }

  /// The steps from which on each file takes older ones back.
  var starts: [Int] { files.map { Int($0.first { $0.sessionLog.status == .start }?.step ?? -1) } }

  var pictures: [(tag: String, step: Int, image: Summary.Image)] {
    files.joined().flatMap { event in
      event.summary.value.filter(\.hasPicture).map { (tag: $0.tag, step: Int(event.step), image: $0.image) }
    }
  }
}

extension Summary.Value {
  fileprivate var hasPicture: Bool { if case .image = value { true } else { false } }
}
