import COCO
import Foundation

/// The commands that need no ranks and no model: `inspect`, `convert`, `check`, `shapes`.
public enum SmallRuns {
  /// Prints what a checkpoint holds, and ends the process.
  public static func inspect(_ path: String) -> Never {
    Boundary.run(singleRank: true) { _ in
      let (checkpoint, notices) = try Checkpoint.weights(reading: path)
      for notice in notices { print("\(path): \(notice)") }
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

  /// Prints the resolved configuration and what its data sets hold, and ends the process.
  public static func check(_ source: ConfigSource) -> Never {
    Boundary.run(singleRank: true) { _ in
      let read = try source.read()
      print(read.resolved)
      for notice in read.notices { print("# \(notice)") }
      let data = read.run.data
      let sections = [("train", data.train), ("val", data.val), ("test", data.test)]
      for (name, section) in sections {
        guard let section else { continue }
        let dataset = try CocoDataset(
          AnnotationFile(reading: section.annFile), configuration: section, training: name == "train")
        print("# data.\(name): \(dataset.summary)")
      }
      return 0
    }
  }

  /// Writes the synthetic data set, and ends the process.
  public static func shapes(directory: String, train: Int, val: Int, seed: UInt64) -> Never {
    Boundary.run(singleRank: true) { _ in
      try ShapesDataset.write(to: directory, trainCount: train, valCount: val, seed: seed)
      print("\(directory): \(train) training and \(val) validation pictures, annotations in \(directory)/annotations")
      return 0
    }
  }

  /// Writes the weights of one file as another of the format that its name says, and ends the process.
  public static func convert(_ input: String, to output: String, names: NameStyle) -> Never {
    Boundary.run(singleRank: true) { _ in
      for line in try WeightConversion.convert(input, to: output, names: names) { print(line) }
      return 0
    }
  }
}
