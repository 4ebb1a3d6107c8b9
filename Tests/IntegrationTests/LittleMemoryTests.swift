import Foundation
import Testing

/// Limits of addresses and of threads: a run trains, or one sentence says what is missing and it ends with 74.
@Suite struct LittleMemoryTests {
  /// In KiB. The detector takes some hundred MiB with its libraries.
  static let limits = [600_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000]

  @Test(arguments: limits)
  func aRunUnderALimitOfAddressesTrains(limit: Int) throws {
    let tiny = try TinyRun()
    let outcome = try tiny.program.run(
      tiny.command("wd", ranks: 1, batch: 2, iterations: 2) + ["--single-rank", "--no-validate"],
      shell: "ulimit -v \(limit)")
    expectTrained(outcome, tiny)
  }

  @Test func ranksUnderALimitOfAddressesTrain() throws {
    let tiny = try TinyRun()
    let outcome = try tiny.program.run(
      tiny.command("wd", ranks: 2, batch: 2, iterations: 2), ranks: 2, shell: "ulimit -v 1500000")
    expectTrained(outcome, tiny)
  }

  /// Each of the limits from hardly enough for the libraries up to where training is possible.
  @Test(arguments: [250_000, 300_000, 350_000, 400_000, 450_000])
  func tooFewAddressesAreSaid(limit: Int) throws {
    let tiny = try TinyRun()
    let outcome = try tiny.program.run(
      tiny.command("wd", ranks: 1, batch: 2, iterations: 2) + ["--single-rank", "--no-validate"],
      shell: "ulimit -v \(limit)")
    if outcome.code == 0 { return expectTrained(outcome, tiny) }
    #expect(outcome.code == 74 && outcome.signal == nil, "\(outcome)")
    #expect(outcome.errors.contains("error: "), "\(outcome)")
  }

  @Test(arguments: limits)
  func predictionsUnderALimitOfAddresses(limit: Int) throws {
    let tiny = try TinyRun()
    try tiny.train("wd", ranks: 1, batch: 2, iterations: 1, arguments: ["--no-validate"])
    let picture = try #require(try tiny.folder.names(in: "data/val").first)
    let outcome = try tiny.program.run(
      ["predict", "tiny.yaml", "wd/iter_1.h5", "data/val/\(picture)"], shell: "ulimit -v \(limit)")
    #expect(outcome.code == 0, "\(outcome)")
  }

  private func expectTrained(_ outcome: Outcome, _ tiny: TinyRun) {
    #expect(outcome.code == 0, "\(outcome)")
    #expect(tiny.folder.exists("wd/iter_2.h5"), "\(outcome)")
  }
}
