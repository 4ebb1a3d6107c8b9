import ArgumentParser
import Distributed
import Foundation
import MPI
import Primitives
import Tensors
import Training

/// `rcnn-bench allreduce`: what the sum of the gradients over the ranks costs where nothing hides it.
struct AllreduceBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract: "Times the exchange of gradients under mpirun, for several sizes of buckets.",
    discussion: """
      The exchange is the trainer's own, after a backward pass that hid nothing of it. GB/s count the arena's bytes \
      once. The fastest size is the one for mpi.bucket_size_mb.
      """)

  @Option(help: "The length of the gradient arena; Faster R-CNN R50-FPN has 41.5 million.")
  var floats = 41_500_000

  @Option(help: ArgumentHelp("Sizes of buckets in MiB.", valueName: "LIST"))
  var bucketMb = Numbers([0.25, 0.5, 1, 2, 4, 8, 16, 25])

  @Option(help: ArgumentHelp("How many buckets are under way at a time.", valueName: "LIST"))
  var inFlight = Numbers([1, 2, 4])

  @Option(help: "Timed sums of each kind; the shortest counts.")
  var rounds = 7

  @Flag(help: "Print one line of JSON for each size.")
  var json = false

  func validate() throws {
    let isPositive = floats > 0 && rounds > 0 && bucketMb.values.allSatisfy { (0x1p-20...0x1p20).contains($0) }
    guard isPositive, inFlight.values.allSatisfy({ (1...1e6).contains($0) }) else {
      throw ValidationError("--floats, --bucket-mb, --in-flight and --rounds are numbers above 0")
    }
  }

  func run() throws {
    Boundary.run(singleRank: false, signals: .system) { world in
      guard world.size > 1 else {
        throw RunError("one rank has nothing to exchange; start it with 'mpirun -np 2'", exitCode: .usage)
      }
      let results = try measure(world)
      if world.rank == 0 { print(json ? lines(results, world) : table(results, world)) }
      return 0
    }
  }

  private struct Result {
    /// nil: the arena in one blocking call.
    let bucketMiB: Double?
    let inFlight: Int
    let seconds: Double
  }

  private func measure(_ world: World) throws -> [Result] {
    let store = ParameterStore()
    _ = store.add("gradients", shape: [floats], isTrainable: true, initializer: .constant(0))
    store.allocate(seed: 0)
    var results: [Result] = []
    for size in bucketMb.values {
      for count in inFlight.values.map({ Int($0) }) {
        let reducer = try GradientReducer(
          store: store, world: world, bucketBytes: Int(size * 1_048_576), windows: (backward: count, finish: count))
        let seconds = try fastest(world) { try reducer.finish() }
        results.append(Result(bucketMiB: size, inFlight: count, seconds: seconds))
      }
    }
    let arena = FloatSlice(start: store.gradients, count: floats)
    results.append(Result(bucketMiB: nil, inFlight: 1, seconds: try fastest(world) { try world.sum(arena) }))
    return results
  }

  /// Of the slowest rank in each round.
  private func fastest(_ world: World, _ body: () throws -> Void) throws -> Double {
    var shortest = Double.infinity
    for _ in 0...rounds {
      try world.barrier()
      let start = ContinuousClock.now
      try body()
      var seconds = [(ContinuousClock.now - start) / .seconds(1)]
      try world.maximum(&seconds)
      shortest = min(shortest, seconds[0])
    }
    return shortest
  }

  private var bytes: Double { Double(floats) * 4 }

  private func table(_ results: [Result], _ world: World) -> String {
    let best = results.map(\.seconds).min()
    var text = "\(world.size) ranks, \(floats) floats (\(decimal(bytes / 1_048_576, 0)) MiB), nothing overlapped, "
    text += "the shortest of \(rounds)\n\nbucket MiB   under way         ms       GB/s\n"
    for result in results {
      let size = result.bucketMiB.map { decimal($0, 2) } ?? "one call"
      let cells = ["\(result.inFlight)", decimal(1000 * result.seconds, 1), decimal(bytes / result.seconds / 1e9, 2)]
      text += column(size, width: 10) + column(cells[0], width: 12) + column(cells[1], width: 11)
      text += column(cells[2], width: 11) + (result.seconds == best ? "  fastest\n" : "\n")
    }
    return text
  }

  private func lines(_ results: [Result], _ world: World) -> String {
    results.map { result in
      JSON.object([
        ("bench", .text("allreduce")), ("ranks", .integer(world.size)), ("floats", .integer(floats)),
        ("bucket_mib", result.bucketMiB.map { .decimal($0, digits: 4) } ?? .null),
        ("in_flight", .integer(result.inFlight)), ("seconds", .decimal(result.seconds, digits: 6)),
        ("gbytes_per_second", .decimal(bytes / result.seconds / 1e9, digits: 3)),
      ]).text()
    }.joined(separator: "\n")
  }
}

/// `0.5,1,2`.
struct Numbers: ExpressibleByArgument {
  let values: [Double]

  init(_ values: [Double]) { self.values = values }

  init?(argument: String) {
    values = argument.split(separator: ",").compactMap { Double($0) }
    guard !values.isEmpty, values.count == argument.split(separator: ",", omittingEmptySubsequences: false).count else {
      return nil
    }
  }

  var defaultValueDescription: String {
    values.map { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" }.joined(separator: ",")
  }
}
