import Distributed
import Foundation
import MPI
import Primitives
import Training

/// In step 2 the last rank sends other numbers than the others, on the same communicator and as many.
func goDifferentWays(_ world: World) throws {
  let order = CollectiveOrder()
  for step in 1...3 {
    for bucket in 0..<3 {
      let isOdd = step == 2 && bucket == 1 && world.rank == world.size - 1
      order.record(isOdd ? .evaluation : .parameters, isOdd ? "layer1" : "bucket \(bucket)", count: 10)
      var values = [Double](repeating: 1, count: 10)
      try world.sum(&values)
    }
    _ = try StepReport(losses: [1], counts: []).summed(over: world, order: order, step: step)
  }
}

/// The even ranks sum their statistics before a bucket goes out, the odd ones afterwards: each has messages of its own.
func mixCommunicators(_ world: World) throws {
  let order = CollectiveOrder()
  let statistics = try SynchronizedStatistics(world: world, order: order)
  let buckets = try world.duplicate()
  for step in 1...3 {
    var sums = [1.0]
    if world.rank % 2 == 0 { try statistics.sum(&sums) }
    order.record(.gradients, "bucket \(step)", count: 8)
    var bucket = [Float](repeating: 2, count: 8)
    try bucket.withUnsafeMutableBufferPointer { bucket in
      let request = try buckets.startSum(bucket)
      if world.rank % 2 == 1 { try statistics.sum(&sums) }
      try request?.wait()
    }
    let size = world.size
    let isRight = sums == [Double(size)] && bucket.allSatisfy { $0 == 2 * Float(size) }
    try expect(isRight, "the sums are \(sums) and \(bucket)")
    _ = try StepReport(losses: [1], counts: []).summed(over: world, order: order, step: step)
  }
}

/// The ranks read annotations of which the last one has fewer; a difference is the same on all.
func compareJobs(_ world: World) throws {
  let isOdd = world.rank == world.size - 1
  let facts = [JobFact("version", "1"), JobFact("the content of a.json", isOdd ? "11 images" : "22 images")]
  try expect(OneJob.difference([facts[0]], in: world) == nil, "equal facts differ")
  Probe.say(try OneJob.difference(facts, in: world)?.key ?? "none")
}

/// The last rank meets an error while the others wait for it in a collective.
func failAlone(_ world: World) throws {
  if world.rank == world.size - 1 {
    RankFailure.end(Wrong("the disk is full"), code: 74, world: world) { Probe.say("flushed") }
  }
  try world.barrier()
}

/// All ranks see the same mistake.
func failTogether(_ world: World) {
  RankFailure.end(Wrong("configs/x.yaml:1:1: error in it"), code: 78, scope: .allRanks, world: world)
}

/// The last rank meets a bug of ours, perhaps on a thread that isn't the main one, while the others wait for it in a
/// collective.
func meetBug(_ world: World, onThread: Bool) throws {
  guard world.rank == world.size - 1 else { return try world.barrier() }
  let shape = [2, 3]
  guard onThread else { return require(shape == [3, 2], "the shape is \(shape), expected [3, 2]") }
  let thread = Thread { bug("the shape is \(shape), expected [3, 2]") }
  thread.start()
  while true { sleep(1) }
}

/// Rank 0 gets a signal, and all ranks stop in the same step.
func waitForSignal(_ world: World) throws {
  Signals.catchAll()
  let order = CollectiveOrder()
  if world.rank == 0 {
    kill(getpid(), SIGHUP)
    kill(getpid(), SIGUSR1)
  }
  for step in 1...1000 {
    let report = StepReport(losses: [], counts: [], signals: Signals.received)
    let agreed = try report.summed(over: world, order: order, step: step).signals
    if agreed.contains(.save) {
      Signals.forget(agreed)
      Probe.say("saved in step \(step)")
      if world.rank == 0 { kill(getpid(), SIGTERM) }
    } else if agreed.isStop {
      try expect(agreed == .terminate, "the signals are \(agreed)")
      Probe.say("stopped in step \(step)")
      return
    }
  }
  throw Wrong("no signal came")
}

/// Replaces `rank-probe write FILE` until it is killed, each time with 24 MiB of another byte.
func writeForEver() throws {
  for byte in 1... {
    let image = [UInt8](repeating: UInt8(truncatingIfNeeded: byte), count: 24 << 20)
    try CheckpointFile.write(image, to: CommandLine.arguments[2])
    try CheckpointFile.link(CommandLine.arguments[2] + ".latest", to: "epoch_1.h5")
    Probe.say("written")
  }
}
