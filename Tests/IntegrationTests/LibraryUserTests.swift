import Foundation
import Testing

extension ProgramTests {
  /// What another package sees of this one. `Tests/LibraryUser` is one; here its program is built with the tests.
  @Suite("The library") struct LibraryUsers {
    @Test("Two steps with the library have the losses of the program")
    func twoSteps() throws {
      let run = try TinyRun()
      let options = [
        "data.samples_per_gpu=4", "mpi.scaled_decode=never", "lr_config.warmup=null", "optimizer.lr=0.01",
      ]
      let log = try run.train("program", ranks: 1, batch: 4, iterations: 2, options: options)
      let user = URL(fileURLWithPath: Program.executable).deletingLastPathComponent().appendingPathComponent(
        "two-steps")
      let outcome = try RunningProgram([user.path, "tiny.yaml"] + options, in: run.folder, environment: [:]).wait()
      #expect(outcome.code == 0, "\(outcome)")
      let steps = outcome.output.split(separator: "\n").map { line in
        Dictionary(
          uniqueKeysWithValues: line.split(separator: ", ").compactMap { term in
            term.split(separator: " ").last.flatMap { Double($0) }.map { (String(term.prefix { $0 != " " }), $0) }
          })
      }
      log.expectSameLosses(as: steps[...], "the library's")
      #expect(steps.count == 2 && steps[0]["loss"] != steps[1]["loss"], "\(outcome)")
    }
  }
}
