import Distributed
import Foundation
import MPI
import Primitives

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
      let reported = error as? any ReportedError
      RankFailure.end(
        error, code: (reported?.exitCode ?? .software).rawValue, scope: reported?.scope ?? .thisRank, world: world)
    }
  }
}
