import ArgumentParser
import Training

/// What `HDF5Child` starts.
struct ReadHDF5: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: HDF5Child.command, abstract: "Reads an HDF5 file for a process that doesn't trust it.",
    shouldDisplay: false)

  @Argument var name: String

  func run() throws { HDF5Child.run(name: name) }
}
