import ArgumentParser
import Foundation
import Kernels
import Primitives
import Tensors
import Training

/// `rcnn-bench kernels`: how near the convolutions come to what the machine can do.
struct KernelBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Times the convolutions of ResNet-50 with FPN, or those in groups, against the matrix product.",
    discussion: """
      GFLOP/s count the arithmetic of a direct convolution, two for each product; an algorithm that needs less can \
      pass the matrix product's rate.
      """)

  @Option(help: ArgumentHelp("The size of the network's input.", valueName: "HEIGHTxWIDTH"))
  var size = Size(argument: "320x320")!

  @Option(help: "Images.")
  var batch = 2

  @Option(help: "Threads (default: all cores of this process).")
  var threads: Int?

  func validate() throws {
    guard batch > 0, threads ?? 1 > 0 else { throw ValidationError("--batch and --threads are numbers from 1 on") }
  }

  @Flag(
    help: "The convolutions in groups of ResNeXts and RegNets, each beside the one of the same sizes without groups.")
  var grouped = false

  @Flag(help: "Print lines of JSON: first the matrix product, then one for each convolution.")
  var json = false

  func run() throws {
    Boundary.run(singleRank: true, signals: .system) { _ in
      let workers = Workers(count: threads ?? ProcessInfo.processInfo.activeProcessorCount)
      let peak = MatrixProduct(threads: workers.count).rate(workers)
      print(json ? jsonHead(peak, workers) : head(peak, workers))
      if grouped {
        timeGrouped(workers)
      } else {
        for layer in ConvolutionCase.all(size: size.pixels, batch: batch) {
          let rates = layer.rates(workers)
          print(json ? jsonLine(layer, rates) : line(layer, rates, peak))
        }
      }
      return 0
    }
  }

  private func timeGrouped(_ workers: Workers) {
    if !json { print("here: part of the dense convolution's") }
    for (layer, dense) in ConvolutionCase.grouped(size: size.pixels, batch: batch) {
      // In turn, so that what slows the machine down meets both; the fastest of each.
      var (rates, denseRates) = (layer.rates(workers), dense.rates(workers))
      for _ in 0..<2 {
        rates = zip(rates, layer.rates(workers)).map(max)
        denseRates = zip(denseRates, dense.rates(workers)).map(max)
      }
      if json {
        print(jsonLine(layer, rates))
        print(jsonLine(dense, denseRates))
      } else {
        let cells = zip(rates, denseRates).map {
          column("\(decimal($0 / 1e9, 0)) (\(decimal($0 / $1, 2)))", width: 18)
        }
        print(layer.name.padding(toLength: 37, withPad: " ", startingAt: 0) + cells.joined())
      }
    }
  }

  private func head(_ peak: Double, _ workers: Workers) -> String {
    """
    \(workers.count) threads, \(batch) x \(size.pixels.height) x \(size.pixels.width), OpenBLAS for \
    \(MatrixMultiply.processorName)
    matrix product, 1024 x 1024 x 1024 on each thread: \(decimal(peak / 1e9, 0)) GFLOP/s

    GFLOP/s (part of the matrix product's)          forward    input gradient   weight gradient
    """
  }

  private func line(_ layer: ConvolutionCase, _ rates: [Double], _ peak: Double) -> String {
    let cells = rates.map { column("\(decimal($0 / 1e9, 0)) (\(decimal($0 / peak, 2)))", width: 18) }
    return layer.name.padding(toLength: 37, withPad: " ", startingAt: 0) + cells.joined()
  }

  private func jsonHead(_ peak: Double, _ workers: Workers) -> String {
    JSON.object([
      ("bench", .text("kernels")), ("height", .integer(size.pixels.height)), ("width", .integer(size.pixels.width)),
      ("batch", .integer(batch)), ("threads", .integer(workers.count)),
      ("gemm_gflops", .decimal(peak / 1e9, digits: 1)),
    ]).text()
  }

  private func jsonLine(_ layer: ConvolutionCase, _ rates: [Double]) -> String {
    let names = ["forward_gflops", "input_gradient_gflops", "weight_gradient_gflops"]
    let fields = zip(names, rates).map { ($0, JSON.decimal($1 / 1e9, digits: 1)) }
    return JSON.object([("bench", .text("kernels")), ("layer", .text(layer.name))] + fields).text()
  }
}

/// Operations a second of `body`, which does `work` of them: the fastest of runs of together a fifth of a second, at
/// least three, after one that warms up. What slows a run down is the rest of the machine.
func operationsPerSecond(_ work: Double, _ body: () -> Void) -> Double {
  body()
  var (fastest, total, runs) = (Double.infinity, 0.0, 0)
  while runs < 3 || total < 0.2 {
    let start = ContinuousClock.now
    body()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    (fastest, total, runs) = (min(fastest, seconds), total + seconds, runs + 1)
  }
  return work / fastest
}

/// A product of matrices on each thread.
struct MatrixProduct {
  private let side = 1024
  private let matrices: [Buffer]
  private let threads: Int

  init(threads: Int) {
    self.threads = threads
    let pool = BufferPool()
    let count = side * side
    matrices = (0..<3 * threads).map { _ in pool.buffer(count) }
    for matrix in matrices { matrix.fill(0.5) }
  }

  /// Of all threads together, in operations a second.
  func rate(_ workers: Workers) -> Double {
    let values = matrices.map(\.values)
    return operationsPerSecond(2 * Double(side * side * side * threads)) {
      workers.run(jobs: threads) { job, _ in
        MatrixMultiply.multiply(
          m: side, n: side, k: side, values[3 * job], stride: side, values[3 * job + 1], stride: side,
          into: values[3 * job + 2], stride: side)
      }
    }
  }
}
