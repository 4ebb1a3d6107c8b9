import Distributed
import Foundation
import MPI
import Tensors

/// One rank of a test of what only several processes can show: `rank-probe CASE`, under mpirun. A case that finds
/// something wrong ends all ranks with 70.
@main
enum Probe {
  static func main() {
    let arguments = CommandLine.arguments
    guard arguments.count > 1 else { exit(64) }
    var world: World?
    do {
      let started = try World.start(singleRank: arguments.contains("--single-rank"))
      world = started
      try run(arguments[1], started)
      try started.finish()
    } catch let error as LaunchError {
      RankFailure.end(error, code: 64, scope: .allRanks, world: world)
    } catch let error as CollectiveOrderError {
      RankFailure.end(error, code: 70, scope: .allRanks, world: world)
    } catch {
      RankFailure.end(error, code: 70, world: world)
    }
  }

  private static func run(_ name: String, _ world: World) throws {
    switch name {
    case "world": say("rank \(world.rank) of \(world.size), \(world.localRank) of \(world.localSize) here")
    case "collectives": try checkCollectives(world)
    case "reducer": try checkReducer(world)
    case "average": try checkAverage(world)
    case "broadcast": try checkBroadcast(world)
    case "report": try checkReport(world)
    case "annotations": try checkSharedAnnotations(world, copies: false)
    case "annotation copies": try checkSharedAnnotations(world, copies: true)
    case "broken annotations": try shareBrokenAnnotations(world)
    case "order": try goDifferentWays(world)
    case "communicators": try mixCommunicators(world)
    case "jobs": try compareJobs(world)
    case "fail": try failAlone(world)
    case "mistake": failTogether(world)
    case "bug": try meetBug(world, onThread: false)
    case "bug on a thread": try meetBug(world, onThread: true)
    case "signal": try waitForSignal(world)
    case "threads": try sayThreads(world)
    case "write": try writeForEver()
    case "yield": say(ProcessInfo.processInfo.environment["OMPI_MCA_mpi_yield_when_idle"] ?? "unset")
    default: throw Wrong("there is no case '\(name)'")
    }
  }

  static func say(_ text: String) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }

  private static func sayThreads(_ world: World) throws {
    let environment = ProcessInfo.processInfo.environment
    let budget = try ThreadBudget(explicit: nil, environment: environment, world: world)
    say("threads \(budget.threads)")
    if let notice = budget.notice { say(notice) }
  }
}

struct Wrong: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

func expect(_ isTrue: Bool, _ what: @autoclosure () -> String) throws {
  if !isTrue { throw Wrong(what()) }
}
