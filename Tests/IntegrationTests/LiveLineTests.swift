import Foundation
import Testing

extension ProgramTests {
  /// What is seen on a terminal, a line of which is written over and over again.
  @Suite("The live line") struct LiveLineTests {
    private let run: TinyRun
    private let options = ["log_config.interval=1000000"]

    init() throws { run = try TinyRun() }

    /// Each live line that stayed stands alone, and the cursor is at the start of a fresh line.
    /// - Parameter isCutShort: mpirun has killed the ranks, and may have ended before it handed on the last that they wrote.
    private func expectOrder(
      _ terminal: TerminalRun, isCutShort: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let screen = terminal.screen
      #expect(screen.last == "" || isCutShort, "\(screen.suffix(5))", sourceLocation: sourceLocation)
      let live = screen.filter { $0.contains(" s/iter  eta ") }
      #expect(
        live.allSatisfy { $0.wholeMatch(of: #/Epoch \[\d+\]\[\d+/\d+\]  loss \S+  \S+ s/iter  eta [0-9:]+/#) != nil },
        "\(live)", sourceLocation: sourceLocation)
      let logged = screen.filter { $0.contains(" - mmdet - ") }
      #expect(!logged.isEmpty, sourceLocation: sourceLocation)
      #expect(
        logged.allSatisfy { $0.prefixMatch(of: #/\d{4}-\d\d-\d\d [0-9:,]+ - mmdet - /#) != nil }, "\(logged)",
        sourceLocation: sourceLocation)
    }

    @Test("Before the first step it says what is going on, and Ctrl-C leaves it where it was", arguments: [nil, 2])
    func training(ranks: Int?) throws {
      let command = run.command("seen", ranks: ranks ?? 1, batch: 2, iterations: 1_000_000, options: options)
      let terminal = try TerminalRun(command, ranks: ranks, in: run.folder)
      try terminal.wait(for: "Epoch [2][")
      let text = terminal.text
      let stages =
        ["Reading what to start from", "Reading the annotations", "Looking up the pictures", "Making the detector"]
        + (ranks == nil ? [] : ["Sending the parameters to all ranks", "Measuring the exchange of gradients"])
        + ["Taking the first step"]
      let places = stages.compactMap { text.range(of: "\r\u{1B}[K\($0)")?.lowerBound }
      #expect(places.count == stages.count && places == places.sorted(), "\(text.prefix(2000))")
      terminal.send(SIGINT)
      let code = terminal.wait()
      // mpirun kills its ranks, and has a code of its own.
      if ranks == nil { #expect(code == 75, "\(terminal.screen.suffix(5))") }
      expectOrder(terminal, isCutShort: ranks != nil)
      #expect(terminal.screen.contains { $0.contains(" s/iter  eta ") })
    }

    @Test("An error has lines of its own", arguments: [nil, 2]) func failure(ranks: Int?) throws {
      let fault = "mpi.inject=nan rank=\((ranks ?? 1) - 1) step=40"
      let command = run.command("failed", ranks: ranks ?? 1, batch: 2, iterations: 1000, options: options + [fault])
      let terminal = try TerminalRun(command, ranks: ranks, in: run.folder)
      #expect(terminal.wait() != 0)
      expectOrder(terminal)
      let lines = terminal.screen.filter { $0.contains("error: ") }
      #expect(!lines.isEmpty && lines.allSatisfy { $0.hasPrefix("error: ") }, "\(terminal.screen)")
    }

    @Test("The last live line of a run that is done doesn't stay") func end() throws {
      let command = run.command("done", ranks: 1, batch: 2, iterations: 5, options: options)
      let terminal = try TerminalRun(command, in: run.folder)
      #expect(terminal.wait() == 0)
      expectOrder(terminal)
      #expect(!terminal.screen.contains { $0.contains(" s/iter  eta ") })
    }

    @Test("A command that a signal ends says so below the live line") func command() throws {
      try run.train("short", ranks: 1, batch: 2, iterations: 1)
      try FileManager.default.createDirectory(atPath: run.folder.path("links"), withIntermediateDirectories: true)
      let picture = try #require(run.folder.names(in: "data/val").first)
      for number in 0..<20_000 { symlink("../data/val/\(picture)", run.folder.path("links/\(100_000 + number).png")) }
      let terminal = try TerminalRun(
        ["predict", "tiny.yaml", "short", "links", "--out-dir", "seen"], in: run.folder)
      try terminal.wait(for: " of 20000 pictures, eta ")
      terminal.send(SIGTERM)
      _ = terminal.wait()
      let screen = terminal.screen
      #expect(screen.last == "" && screen.contains("rcnn-train: ended by a signal (TERM)"), "\(screen.suffix(5))")
    }
  }
}
