import Primitives

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
      print("digests: model \(digest(of: checkpoint.model)), momenta \(digest(of: checkpoint.momenta))")
      for array in checkpoint.model { print("  \(array.name) \(array.shape)") }
      return 0
    }
  }

  /// FNV-1a over names, shapes and the bits of all numbers: equal where two runs came to the same.
  private static func digest(of arrays: [Checkpoint.Array]) -> String {
    var hash = FNV1a()
    for array in arrays {
      hash.add("\(array.name) \(array.shape)".utf8)
      array.values.withUnsafeBytes { hash.add($0) }
    }
    let digits = String(hash.value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
