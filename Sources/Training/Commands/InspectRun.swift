import Primitives
import Tensors

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
      let states = states(of: checkpoint)
      let counts = states.map { "\($0.arrays.count) \($0.name)" }.joined(separator: ", ")
      print("\(checkpoint.model.count) arrays of the model, \(count) numbers; \(counts)")
      let digests = states.map { ", \($0.name) \(digest(of: $0.arrays))" }.joined()
      print("digests: model \(digest(of: checkpoint.model))\(digests)")
      if checkpoint.formatVersion > 1 { print("optimizer: \(checkpoint.optimizer)") }
      if checkpoint.holdsAverages {
        print("the weights are running means (EMAHook); those that are being trained are the arrays ema_…")
      }
      for array in checkpoint.model { print("  \(array.name) \(array.shape)") }
      return 0
    }
  }

  /// What the optimiser keeps; SGD's momenta also where there are none.
  private static func states(of checkpoint: Checkpoint) -> [(name: String, arrays: [Checkpoint.Array])] {
    guard checkpoint.optimizer != "SGD" else { return [("momenta", checkpoint.momenta)] }
    return ParameterState.allCases.compactMap { state in checkpoint.states[state].map { (state.rawValue, $0) } }
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
