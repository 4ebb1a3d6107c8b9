import Foundation
import MPI
import Primitives

/// The one place where an error leaves the program.
public enum RankFailure {
  /// Prints the error and ends all ranks with `code`, of `sysexits.h`. Never finalises: a rank that waits for the
  /// others to finalise, while they wait for it in a collective, hangs for ever.
  ///
  /// `world` is nil where the error came before there was one; `flushLogs` runs first.
  public static func end(
    _ error: any Error, code: Int32, scope: ErrorScope = .thisRank, world: World?,
    flushingLogs flushLogs: () -> Void = {}
  ) -> Never {
    flushLogs()
    Signals.leaveEndingToTheError()
    if world == nil, isSpokenFor(scope) { Launcher.endAfterTheOther(code: code) }
    let (rank, size) = place(of: world)
    if scope == .allRanks, rank > 0, world != nil { waitToBeEnded(code: code) }
    let isCommon = size == 1 || scope == .siblings || scope == .allRanks && rank == 0
    let prefix = isCommon ? "" : "[rank \(rank) of \(size)] "
    // Messages about a file say "FILE: error: …" themselves.
    let text = "\(error)"
    let message = text.contains(": error: ") ? text : "error: \(text)"
    LiveLine.printError("\(prefix)\(message)\n")
    world?.abort(code: code)
    exit(code)
  }

  /// Rank 0 is about to end all ranks, which begins with a TERM. Returns where it has not after ten seconds: it never
  /// met the error. A sleep in one piece would end at the TERM, and this rank would speak too.
  private static func waitToBeEnded(code: Int32) {
    for _ in 0..<100 {
      usleep(100_000)
      if Signals.received.contains(.terminate) { exit(code) }
    }
  }

  private static func isSpokenFor(_ scope: ErrorScope) -> Bool {
    switch scope {
    case .allRanks: Launcher.isSpokenFor
    case .siblings: Launcher.isSpokenForByASibling
    case .thisRank: false
    }
  }

  /// Before there is a world only Open MPI's own launcher is believed.
  private static func place(of world: World?) -> (rank: Int, size: Int) {
    if let world { return (world.rank, world.size) }
    return (Launcher.rank ?? 0, Launcher.size ?? 1)
  }
}
