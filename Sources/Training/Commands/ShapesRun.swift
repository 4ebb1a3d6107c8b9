import COCO

/// `rcnn-train shapes`.
public enum ShapesRun {
  /// Writes the synthetic data set, and ends the process with the exit code of `sysexits.h`.
  public static func start(directory: String, train: Int, val: Int, seed: UInt64) -> Never {
    Boundary.run(singleRank: true) { _ in
      try ShapesDataset.write(to: directory, trainCount: train, valCount: val, seed: seed)
      print("\(directory): \(train) training and \(val) validation pictures, annotations in \(directory)/annotations")
      return 0
    }
  }
}
