import COCO
import Detection
import Distributed
import Foundation
import HDF5
import MPI

/// The edge of the program: every command starts its ranks here, and every error leaves here.
package enum Boundary {
  /// Runs `body` on all ranks and ends the process with its exit code. `catchingSignals`: they set flags, which `body`
  /// looks at, and end nothing by themselves.
  package static func run(
    singleRank: Bool, catchingSignals: Bool = true, _ body: (World) throws -> Int32
  ) -> Never {
    var world: World?
    do {
      try Machine.checkProcessor()
      let started = try World.start(singleRank: singleRank)
      world = started
      if catchingSignals { Signals.catchAll() }
      let code = try body(started)
      try started.finish()
      exit(code)
    } catch {
      RankFailure.end(error, code: exitCode(of: error), scope: scope(of: error, world), world: world)
    }
  }

  /// Whether all ranks meet an error alike, so that one of them says it.
  private static func scope(of error: any Error, _ world: World?) -> RankFailure.Scope {
    switch error {
    // Checkpoints, results and logs are rank 0's alone.
    case is CommonError, is ConfigurationError, is LaunchError, is CollectiveOrderError, is CheckpointError,
      is OutputError, is ResultsError:
      .allRanks
    // All ranks meet it, or rank 0 alone; without a world, the processor of one rank may lack what others have.
    case is RunError: world == nil ? .thisRank : .allRanks
    default: .thisRank
    }
  }

  private static func exitCode(of error: any Error) -> Int32 {
    switch error {
    case let error as CommonError: exitCode(of: error.underlying)
    case let error as RunError: error.exitCode
    case let error as CheckpointError: error.exitCode
    case let error as ConfigurationError:
      (error.isMissingFile ? RunError.ExitCode.inputMissing : .configuration).rawValue
    case let error as COCOError: exitCode(of: error.kind).rawValue
    case is LaunchError: RunError.ExitCode.usage.rawValue
    case is ResultsError, is HDF5Error, is DivergenceError: RunError.ExitCode.badData.rawValue
    case is OutputError, is MPIError: RunError.ExitCode.io.rawValue
    default: RunError.ExitCode.software.rawValue
    }
  }

  private static func exitCode(of kind: COCOError.Kind) -> RunError.ExitCode {
    switch kind {
    case .inputMissing: .inputMissing
    case .inputOutput: .io
    case .badData: .badData
    case .badConfiguration: .configuration
    }
  }
}
