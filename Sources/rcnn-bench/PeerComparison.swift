import Foundation
import Primitives
import Training

/// Runs our step benchmark and another program's in turn (A B A B …), so that what slows the machine down meets both.
struct PeerComparison {
  /// The arguments of our run after `rcnn-bench`.
  let arguments: [String]
  let ranks: Int
  let threads: Int?
  /// The peer, for the shell.
  let command: String

  /// What one run reported; of the peer the memory is optional.
  struct Report {
    let imagesPerSecond: Double
    let peakRSSMiB: Double?
  }

  func round() throws -> (ours: Report, peer: Report) {
    let ours = try run("/usr/bin/env", launcher + [ourProgram] + arguments, name: "our own run")
    return (ours, try run("/bin/sh", ["-c", command], name: "the peer"))
  }

  private var ourProgram: String { Bundle.main.executablePath ?? CommandLine.arguments[0] }

  /// Each rank on its own cores where there are enough, as `launch/local` does.
  private var launcher: [String] {
    guard ranks > 1 else { return [] }
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let threads = threads ?? max(1, cores / ranks)
    let isRoomy = ranks * threads <= cores
    let placement =
      isRoomy ? ["--map-by", "slot:PE=\(threads)", "--bind-to", "core"] : ["--oversubscribe", "--bind-to", "none"]
    return ["mpirun", "-np", "\(ranks)"] + placement
  }

  /// The last line of the output that is a JSON object with `images_per_second`.
  private func run(_ program: String, _ arguments: [String], name: String) throws -> Report {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = output
    // As launch/local: who is root here meant it.
    let permissions = ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"]
    if geteuid() == 0 { process.environment = ProcessInfo.processInfo.environment.merging(permissions) { $1 } }
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw RunError("\(name) ended with exit code \(process.terminationStatus)", exitCode: .badData)
    }
    guard let report = text.split(separator: "\n").reversed().lazy.compactMap(Report.init(line:)).first else {
      throw RunError("\(name) printed no line of JSON with 'images_per_second'", exitCode: .badData)
    }
    return report
  }
}

extension PeerComparison.Report {
  fileprivate init?(line: Substring) {
    guard let fields = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
      let rate = fields["images_per_second"] as? NSNumber
    else { return nil }
    imagesPerSecond = rate.doubleValue
    peakRSSMiB = (fields["peak_rss_mib"] as? NSNumber)?.doubleValue
  }
}

/// All rounds of a comparison.
struct PeerResult {
  let rounds: [(ours: PeerComparison.Report, peer: PeerComparison.Report)]

  private var ratios: [Double] { rounds.map { $0.ours.imagesPerSecond / $0.peer.imagesPerSecond } }
  private var memoryRatios: [Double] {
    rounds.compactMap { round in
      guard let ours = round.ours.peakRSSMiB, let peer = round.peer.peakRSSMiB, peer > 0 else { return nil }
      return ours / peer
    }
  }

  /// `round 1: 1.2345 and 0.6789 images a second, ratio 1.82`
  static func line(_ number: Int, _ round: (ours: PeerComparison.Report, peer: PeerComparison.Report)) -> String {
    let (ours, peer) = (round.ours.imagesPerSecond, round.peer.imagesPerSecond)
    return "round \(number): ours \(decimal(ours, 4)), peer \(decimal(peer, 4)) images a second, "
      + "ratio \(decimal(ours / peer, 3))"
  }

  var summary: String {
    func spread(_ values: [Double]) -> String {
      "\(decimal(median(values), 3)) (median of \(values.count), \(decimal(values.min() ?? 0, 3)) to "
        + "\(decimal(values.max() ?? 0, 3)))"
    }
    let speed = "speed, ours / peer:        \(spread(ratios))"
    return memoryRatios.isEmpty ? speed : speed + "\npeak memory, ours / peer:  \(spread(memoryRatios))"
  }

  var json: String {
    let pairs = rounds.map { round in
      JSON.array([round.ours, round.peer].map { .decimal($0.imagesPerSecond, digits: 4) })
    }
    return JSON.object([
      ("bench", .text("step-peer")), ("images_per_second", .array(pairs)),
      ("ratio", .decimal(median(ratios), digits: 4)),
      ("ratio_min", .decimal(ratios.min() ?? 0, digits: 4)), ("ratio_max", .decimal(ratios.max() ?? 0, digits: 4)),
      ("memory_ratio", memoryRatios.isEmpty ? .null : .decimal(median(memoryRatios), digits: 4)),
    ]).text()
  }
}
