import ArgumentParser
import Foundation
import MPI
import Primitives
import Training

@main
struct RCNNBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rcnn-bench",
    abstract: "Measures rcnn-train on this machine.",
    version: Version.text,
    subcommands: [StepBenchmark.self, KernelBenchmark.self, AnnotationsBenchmark.self, EvaluationBenchmark.self])
}

/// `HEIGHTxWIDTH`, as in `--size 320x320`.
struct Size: ExpressibleByArgument {
  let pixels: ImageSize

  init?(argument: String) {
    let sides = argument.split(separator: "x").map { Int($0) }
    guard sides.count == 2, let height = sides[0], let width = sides[1], min(height, width) >= 64 else { return nil }
    pixels = ImageSize(height: height, width: width)
  }

  var defaultValueDescription: String { "\(pixels.height)x\(pixels.width)" }
}

/// The middle one of some numbers, of two middle ones the mean.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// The most memory that any rank had, in MiB.
func largestPeakRSS(_ world: World) throws -> Double {
  var usage = rusage()
  #if os(Linux)
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let unit = 1024.0
  #else
    getrusage(RUSAGE_SELF, &usage)
    let unit = 1_048_576.0
  #endif
  var peak = [Double(usage.ru_maxrss) / unit]
  try world.maximum(&peak)
  return peak[0]
}
