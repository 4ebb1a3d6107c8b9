import Distributed
import Foundation
import Testing
import Training

/// `mpi.inject`.
@Suite struct InjectionReaderTests {
  private static let quickstart = "workflow: [[train, 1]]"

  private func read(_ value: String) throws -> [Fault] {
    try ConfigurationFixture.read(replacing: Self.quickstart, with: "mpi: {inject: \(value)}").run.mpi.inject
  }

  @Test func aTextOrAListOfThem() throws {
    #expect(try read("null") == [])
    #expect(try read("kill  rank=1 step=7") == [Fault(.kill, rank: 1, step: 7, text: "kill rank=1 step=7")])
    let faults = try read(
      "[flip rank=0 step=3 bit=30 parameter=neck.fpn_convs.0.conv.weight, 'full-disk step=2 times=3']")
    #expect(faults.map(\.kind) == [.flip, .fullDisk])
    #expect(faults[0].bit == 30 && faults[0].parameter == "neck.fpn_convs.0.conv.weight")
    #expect(faults[1].rank == 0 && faults[1].step == 2 && faults[1].times == 3)
    #expect(try read("slow rank=2 step=1 ms=20")[0].duration == .milliseconds(20))
    #expect(try read("stall rank=2 step=1")[0].duration == nil)
    #expect(try read("stall rank=2 step=1 seconds=4")[0].duration == .seconds(4))
  }

  @Test func aNoticeSaysThatItIsOn() throws {
    let read = try ConfigurationFixture.read(
      replacing: Self.quickstart, with: "mpi: {inject: [kill rank=1 step=7, nan rank=0 step=2]}")
    let notice = "'mpi.inject' is on: this run makes faults on purpose (kill rank=1 step=7, nan rank=0 step=2)"
    #expect(read.notices.contains { $0.contains(notice) }, "\(read.notices)")
  }

  @Test(arguments: [
    (
      "boom rank=1 step=7",
      "has the fault 'boom', expected one of kill, stop, stall, swap, flip, nan, full-disk, slow, delay"
    ),
    ("''", "has the fault '', expected one of kill"),
    ("kill rank=1", "lacks 'step=' in 'kill rank=1', expected a whole number from 1 to "),
    ("kill rank=1 step=0", "has step=0 in 'kill rank=1 step=0', expected a whole number from 1 to "),
    ("kill step=3", "lacks 'rank=' in 'kill step=3', expected a whole number from 0 to "),
    ("kill rank=1 step=7 ms=3", "has 'ms=3' in 'kill rank=1 step=7 ms=3', expected each once: rank=…, step=…"),
    ("kill rank=1 rank=1 step=7", "has 'rank=1' in 'kill rank=1 rank=1 step=7', expected each once: rank=…, step=…"),
    ("flip rank=1 step=7 bit=32", "has bit=32 in 'flip rank=1 step=7 bit=32', expected a whole number from 0 to 31"),
    ("slow rank=1 step=7", "lacks 'ms=' in 'slow rank=1 step=7', expected a whole number from 1 to "),
    ("{kill: 1}", "is a mapping, expected a text such as 'kill rank=1 step=7', or a list of them"),
    ("[kill rank=1 step=7, kill rank=1 step=7]", "has 'kill rank=1 step=7' twice, and each happens once"),
  ])
  func mistakes(_ value: String, _ message: String) throws {
    let text = try ConfigurationFixture.message {
      try ConfigurationFixture.read(replacing: Self.quickstart, with: "mpi: {inject: \(value)}")
    }
    #expect(text.contains("c.yaml:N:") && text.contains("error: 'mpi.inject' \(message)"), "\(text)")
  }
}
