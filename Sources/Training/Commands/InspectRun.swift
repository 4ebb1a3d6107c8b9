/// `rcnn-train inspect`.
public enum InspectRun {
  /// Prints what a checkpoint holds, and ends the process with the exit code of `sysexits.h`.
  public static func start(_ path: String) -> Never {
    Boundary.run(singleRank: true) { _ in
      let (checkpoint, notices) = try Checkpoint.weights(reading: path)
      for notice in notices + checkpoint.soundnessNotices { print("\(path): \(notice)") }
      print("\(path): \(checkpoint.producer), \(checkpoint.created)")
      print("epoch \(checkpoint.epoch), iter \(checkpoint.iteration), \(checkpoint.worldSize) ranks, ", terminator: "")
      print("global batch \(checkpoint.globalBatch), seed \(checkpoint.seed)")
      print("classes: \(checkpoint.classes.joined(separator: ", "))")
      let count = checkpoint.model.reduce(0) { $0 + $1.values.count }
      print("\(checkpoint.model.count) arrays of the model, \(count) numbers; \(checkpoint.momenta.count) momenta")
      for array in checkpoint.model { print("  \(array.name) \(array.shape)") }
      return 0
    }
  }
}
