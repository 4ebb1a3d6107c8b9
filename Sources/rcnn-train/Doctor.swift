import ArgumentParser
import Training

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Looks at the machine: cores, threads, memory, transport, limits, the work directory; with remedies.",
    discussion: "Alone, or under mpirun on all hosts of a run: mpirun -np 8 --hostfile hosts rcnn-train doctor.")

  @Option(
    help: ArgumentHelp("Where checkpoints are to go.", valueName: "DIR"),
    completion: .directory)
  var workDir = "work_dirs"

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Be a world of one and never touch MPI.")
  var singleRank = false

  func run() throws { DoctorRun.start(workDir: workDir, asJSON: json, isSingleRank: singleRank) }
}
