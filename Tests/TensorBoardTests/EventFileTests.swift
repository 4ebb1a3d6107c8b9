import Foundation
import Primitives
import SwiftProtobuf
import TensorBoard
import Testing

/// Event files, byte by byte. The records in hexadecimal were written by the package `tensorboard` (2.21) of PyPI.
@Suite struct EventFileTests {
  /// RFC 3720, B.4, and the check value of the catalogues.
  @Test(
    arguments: [
      (Array("123456789".utf8), 0xe306_9283), ([], 0), (Array("a".utf8), 0xc1d0_4330),
      ([UInt8](repeating: 0, count: 32), 0x8a91_36aa), ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
      (Array(0..<32), 0x46dd_794e), (Array((0..<32).reversed()), 0x113f_db5c),
    ] as [([UInt8], UInt32)]) func checksums(bytes: [UInt8], checksum: UInt32)
  {
    #expect(CRC32C.checksum(bytes) == checksum)
  }

  @Test func recordsAreThoseOfTensorBoard() throws {
    var scalar = event(step: 3)
    scalar.summary.value = [SummaryValue("train/loss", 0.5).message]
    #expect(
      try hexadecimal(scalar)
        == "200000000000000029eda95009000000000000f83f10032a130a110a0a747261696e2f6c6f7373150000003f1341efbe")
    var start = event(step: 6)
    start.sessionLog.status = .start
    #expect(try hexadecimal(start) == "0f000000000000006d532b0909000000000000f83f10063a0208019517399e")
    var picture = event(step: 7)
    picture.summary.value = [
      SummaryValue("pictures/a.jpg", .picture([0xff, 0xd8], ImageSize(height: 2, width: 3))).message
    ]
    #expect(
      try hexadecimal(picture)
        == "2b00000000000000861bc34b09000000000000f83f10072a1e0a1c0a0e70696374757265732f612e6a7067220a0802100318032202ffd8d64a194c"
    )
  }

  private func event(step: Int64) -> Event {
    var event = Event()
    (event.wallTime, event.step) = (1.5, step)
    return event
  }

  private func hexadecimal(_ event: Event) throws -> String {
    let bytes: [UInt8] = try event.serializedBytes()
    return TensorRecord.framed(bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test func eachFileSortsBehindTheOthersAndIsWholeAfterEachEvent() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("events-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Folder.make(folder)
    // Of a machine whose clock is ahead, and one that no machine has written.
    let ahead = "events.out.tfevents.9999999990.host.1"
    for name in [ahead, "events.out.tfevents.9223372036854775807.host.1"] {
      _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil)
    }
    let first = try EventFile(in: folder, startingAt: 0)
    let second = try EventFile(in: folder, startingAt: 4)
    #expect("\(folder)/\(ahead)" < first.path && first.path < second.path)
    for step in 1...3 {
      try first.write([SummaryValue("a", Double(step))], step: step)
      let events = try events(in: first.path)
      #expect(events.count == step + 2)
      #expect(events.last?.step == Int64(step) && events.last?.summary.value.first?.simpleValue == Float(step))
    }
    let events = try events(in: second.path)
    #expect(events.map(\.fileVersion) == ["brain.Event:2", ""])
    #expect(events[1].step == 4 && events[1].sessionLog.status == .start)
    #expect(events.allSatisfy { $0.wallTime > 1e9 })
  }

  /// - Throws: where a record is torn or its frame is another one.
  private func events(in path: String) throws -> [Event] {
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var events: [Event] = []
    while !bytes.isEmpty {
      let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      try #require(bytes.count >= 16 + length)
      let message = Array(bytes[12..<12 + length])
      #expect(Array(bytes.prefix(16 + length)) == TensorRecord.framed(message))
      events.append(try Event(serializedBytes: message))
      bytes.removeFirst(16 + length)
    }
    return events
  }
}
