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
    subcommands: [
      StepBenchmark.self, KernelBenchmark.self, LoaderBenchmark.self, AllreduceBenchmark.self, PlanBenchmark.self,
      AnnotationsBenchmark.self, EvaluationBenchmark.self, FuzzBenchmark.self, SaveBenchmark.self,
      ChecksBenchmark.self,
    ])
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
