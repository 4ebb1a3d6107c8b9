import COCO

/// `rcnn-train check`.
public enum CheckRun {
  /// Prints the resolved configuration and what its data sets hold, and ends the process with the exit code of
  /// `sysexits.h`.
  public static func start(_ source: ConfigSource) -> Never {
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
        try dataset.checkClasses(fit: read.run.model)
        print("# data.\(name): \(dataset.summary)")
      }
      return 0
    }
  }
}
