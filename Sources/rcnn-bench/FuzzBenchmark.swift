import ArgumentParser
import Foundation
import Primitives
import Training

/// `rcnn-bench fuzz`: whether damaged files of weights end in a reading or in a sentence, and how long and large that gets.
struct FuzzBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Reads damaged copies of files of weights: .pth, .safetensors, .h5.",
    discussion: "A crash ends it; --keep then holds the file that did it.")

  @Argument(help: "Good files, which are damaged in turn.")
  var files: [String]

  @Option(help: "How many damaged files to read.")
  var count = 1000

  @Option(help: "The number of the first one.")
  var first = 0

  @Option(help: "The same seed damages in the same way.")
  var seed: UInt64 = 0

  @Option(help: "Where each damaged file is put before it is read.")
  var keep: String?

  @Flag(help: "Print one line of JSON.")
  var json = false

  func validate() throws {
    guard !files.isEmpty, count > 0, first >= 0 else {
      throw ValidationError("name a file or more; --count is a number from 1 on, --first from 0 on")
    }
  }

  func run() throws {
    Boundary.run(singleRank: true) { _ in
      let mutators = try files.map { Mutator(try CheckpointFile.read($0), seed: seed) }
      var (read, refused, longest, slowest) = (0, 0, 0.0, first)
      for number in first..<first + count {
        let bytes = mutators[number % mutators.count].file(number)
        if let keep { try Data(bytes).write(to: URL(fileURLWithPath: keep)) }
        let start = DispatchTime.now()
        do throws(CheckpointError) {
          _ = try Checkpoint.weights(in: bytes, name: files[number % files.count])
          read += 1
        } catch {
          refused += 1
        }
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) * 1e-9
        if seconds > longest { (longest, slowest) = (seconds, number) }
      }
      report(read: read, refused: refused, longest: longest, slowest: slowest)
      return 0
    }
  }

  private func report(read: Int, refused: Int, longest: Double, slowest: Int) {
    let peak = Machine.peakMemoryMiB
    if json {
      print(
        """
        {"files": \(count), "read": \(read), "refused": \(refused), "seconds_max": \(longest), "slowest": \(slowest), \
        "peak_rss_mib": \(peak)}
        """)
    } else {
      print("\(count) files: \(read) read, \(refused) refused with a sentence; the longest took ", terminator: "")
      print(String(format: "%.3f s (number %d); peak memory %.0f MiB", longest, slowest, peak))
    }
  }
}
