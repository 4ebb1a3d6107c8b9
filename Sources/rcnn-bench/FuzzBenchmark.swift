import ArgumentParser
import COCO
import Foundation
import Primitives
import Training

/// `rcnn-bench fuzz`: whether damaged files of weights, pictures and archives end in a reading or in a sentence, and how
/// long and large that gets.
struct FuzzBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Reads damaged copies of files: weights (.pth, .safetensors, .h5), pictures and tar archives.",
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
      let contents = try files.map { try CheckpointFile.read($0) }
      let readers = contents.map(FuzzedReader.init)
      let mutators = contents.map { Mutator($0, seed: seed) }
      var (read, refused, longest, slowest) = (0, 0, 0.0, first)
      for number in first..<first + count {
        let bytes = mutators[number % mutators.count].file(number)
        if let keep { try Data(bytes).write(to: URL(fileURLWithPath: keep)) }
        let start = DispatchTime.now()
        if try readers[number % files.count].reads(bytes, name: files[number % files.count]) {
          read += 1
        } else {
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

/// What reads a file, told from the good one.
private enum FuzzedReader {
  case weights, picture, archive

  init(_ file: [UInt8]) {
    let isArchive = file.count > 512 && file[257..<262].elementsEqual("ustar".utf8)
    self = isArchive ? .archive : ImageDecoder.isPicture(file) ? .picture : .weights
  }

  /// Whether the bytes are read; false where they are refused with a sentence.
  func reads(_ bytes: [UInt8], name: String) throws -> Bool {
    do {
      switch self {
      case .weights: _ = try Checkpoint.weights(in: bytes, name: name)
      case .picture: _ = try ImageDecoder.decode(bytes, path: name)
      case .archive: _ = try TarIndex(reading: bytes, path: name)
      }
      return true
    } catch is CheckpointError, is COCOError {
      return false
    }
  }
}
