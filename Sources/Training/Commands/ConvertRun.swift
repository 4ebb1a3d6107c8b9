/// `rcnn-train convert`.
public enum ConvertRun {
  /// Writes the weights of a PyTorch file (or of a checkpoint) as a checkpoint, and ends the process with the exit code of
  /// `sysexits.h`.
  public static func start(_ input: String, to output: String) -> Never {
    Boundary.run(singleRank: true) { _ in
      guard output.hasSuffix(".h5") else {
        throw RunError("\(output): error: only checkpoints can be written; end its name with .h5", exitCode: .usage)
      }
      let (checkpoint, notices) = try Checkpoint.weights(reading: input)
      for notice in notices { print("\(input): \(notice)") }
      try CheckpointFile.write(checkpoint.image(), to: output)
      print("\(output): \(checkpoint.model.count) arrays of \(input)")
      return 0
    }
  }
}
