import Distributed
import Foundation
import Kernels
import MPI
import Primitives

/// The edge of the program: every command starts its ranks here, and every error leaves here.
package enum Boundary {
  /// Runs `body` on all ranks and ends the process with its exit code. `signals`: what they do from the first moment
  /// on, until `body` says otherwise.
  package static func run(
    singleRank: Bool, signals: Signals.Use = .ending, _ body: (World) throws -> Int32
  ) -> Never {
    var world: World?
    Signals.use(signals)
    AddressRoom.economize()
    do {
      try Machine.checkProcessor()
      let started = try World.start(singleRank: singleRank)
      world = started
      // MPI may have brought handlers of its own.
      Signals.use(signals)
      let code = try body(started)
      try started.finish()
      print(LiveLine.take(), terminator: "")
      exit(code)
    } catch {
      LiveLine.end()
      let reported = error as? any ReportedError
      RankFailure.end(
        error, code: (reported?.exitCode ?? .software).rawValue, scope: reported?.scope ?? .thisRank, world: world)
    }
  }
}
