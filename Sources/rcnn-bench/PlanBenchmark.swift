import ArgumentParser
import Foundation
import Primitives

/// `rcnn-bench plan`: what a step would take on clusters that are not here, from what was measured here.
struct PlanBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Predicts step time and efficiency of 1 to 1024 ranks from measured numbers.",
    discussion: "The defaults were measured on two cores of a 2.6 GHz AMD EPYC (Zen 4): put in your own.")

  @Option(
    name: [.long, .customLong("step")], help: "A rank's step alone, from 'rcnn-bench step' (step_seconds).")
  var stepSeconds = 1.07

  @Option(help: "Its backward pass (backward_seconds).")
  var backwardSeconds = 0.66

  @Option(help: "The length of the gradient arena.")
  var floats = 41_500_000

  @Option(help: "GB/s of 'mpirun -np 2 rcnn-bench allreduce', the fastest line.")
  var nodeGbps = 10.0

  @Option(help: "Ranks on a node; each has cores of its own.")
  var ranksPerNode = 8

  @Option(help: "mpi.bucket_size_mb.")
  var bucketMb = 2.0

  @Option(help: "Buckets under way at a time during backward.")
  var inFlight = 16

  @Option(help: "Operations of a backward pass, after each of which messages move.")
  var polls = 127

  @Option(help: "Microseconds of a message between nodes.")
  var latencyUs = 20.0

  @Option(help: "The part of a link's bits that are payload.")
  var linkEfficiency = 0.9

  @Option(help: "The standard deviation of a rank's step, as a part of it.")
  var deviation = 0.01

  @Option(help: ArgumentHelp("Gbit/s of a node's network card.", valueName: "LIST"))
  var links = Numbers([10, 25, 100])

  @Option(help: ArgumentHelp("Numbers of ranks.", valueName: "LIST"))
  var ranks = Numbers([1, 2, 8, 16, 32, 64, 128, 256, 512, 1024])

  @Flag(help: "Print one line of JSON for each number of ranks and link.")
  var json = false

  func validate() throws {
    let numbers =
      [stepSeconds, backwardSeconds, nodeGbps, bucketMb, latencyUs, linkEfficiency] + links.values + ranks.values
    guard numbers.allSatisfy({ $0 > 0 }), min(floats, ranksPerNode, inFlight, polls) > 0, deviation >= 0,
      ranks.values.allSatisfy({ $0 < 1e9 })
    else {
      throw ValidationError("the numbers of a plan are above 0")
    }
  }

  func run() {
    print(json ? lines : table)
  }

  private var model: ScalingModel {
    ScalingModel(
      stepSeconds: stepSeconds, backwardSeconds: backwardSeconds, floats: Double(floats), nodeRate: nodeGbps * 1e9,
      ranksPerNode: ranksPerNode, bucketBytes: bucketMb * 1_048_576, bucketsInFlight: Double(inFlight),
      polls: Double(polls), latencySeconds: latencyUs * 1e-6, linkEfficiency: linkEfficiency, deviation: deviation)
  }

  private func prediction(_ ranks: Double, _ gigabits: Double) -> ScalingModel.Prediction {
    model.prediction(ranks: Int(ranks), link: gigabits * 1e9 / 8)
  }

  private var table: String {
    var text = """
      step \(decimal(stepSeconds, 3)) s, of it backward \(decimal(backwardSeconds, 3)) s; \(floats) floats in buckets of \
      \(decimal(bucketMb, 2)) MiB, \(inFlight) under way
      \(ranksPerNode) ranks a node, exchange on it \(decimal(nodeGbps, 1)) GB/s; \(decimal(latencyUs, 0)) us a message, \
      \(decimal(100 * linkEfficiency, 0)) % of the link; \(polls) polls

      """
    text += "\n" + column("", width: 6)
    for link in links.values { text += column("\(decimal(link, 0)) Gbit/s a node", width: 34) }
    text += "\n" + column("ranks", width: 6)
    for _ in links.values { text += column("step s", width: 12) + "  exch s" + "  hidden" + " effic." }
    for count in ranks.values {
      text += "\n" + column(decimal(count, 0), width: 6)
      for link in links.values { text += cells(prediction(count, link)) }
    }
    return text + "\n\n" + Self.assumptions
  }

  private func cells(_ prediction: ScalingModel.Prediction) -> String {
    column(decimal(prediction.stepSeconds, 3), width: 12) + column(decimal(prediction.exchangeSeconds, 3), width: 8)
      + column("\(decimal(100 * prediction.hiddenShare, 0)) %", width: 8)
      + column("\(decimal(100 * prediction.efficiency, 0)) %", width: 7)
  }

  private var lines: String {
    links.values.flatMap { link in
      ranks.values.map { count in
        let prediction = prediction(count, link)
        return JSON.object([
          ("bench", .text("plan")), ("ranks", .integer(Int(count))), ("gbit_per_second", .decimal(link, digits: 1)),
          ("step_seconds", .decimal(prediction.stepSeconds, digits: 5)),
          ("exchange_seconds", .decimal(prediction.exchangeSeconds, digits: 5)),
          ("hidden", .decimal(prediction.hiddenShare, digits: 3)),
          ("efficiency", .decimal(prediction.efficiency, digits: 3)),
        ]).text()
      }
    }.joined(separator: "\n")
  }

  private static let assumptions = """
    exch: the whole exchange as if nothing hid it; hidden: the part not waited for after backward.
    Assumed: every rank has the same batch and cores; Rabenseifner's allreduce over ranks numbered node by node, so that
    a node's card carries 2 (m-1)/m of the bytes of one arena; the part on the node is the ranks' own work and is added
    in full; the network works during backward, as far as the polls move it; memory keeps up with the ranks of a node;
    the slowest of p ranks is later by deviation * sqrt(2 ln p); reading data and saving are hidden.
    """
}
