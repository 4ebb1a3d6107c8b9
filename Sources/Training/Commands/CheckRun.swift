import COCO

/// `rcnn-train check`.
public enum CheckRun {
  /// Prints the resolved configuration and what its data sets hold, and ends the process with the exit code of
  /// `sysexits.h`.
  public static func start(_ source: ConfigSource) -> Never {
    Boundary.run(singleRank: true) { world in
      let read = try source.read()
      print(read.resolved)
      for notice in read.notices { print("# \(notice)") }
      let data = read.run.data
      let sections = [("train", data.train), ("val", data.val), ("test", data.test)]
      var datasets: [CocoDataset] = []
      for (name, section) in sections {
        guard var section else { continue }
        // As in a training, which measures by its own classes.
        if name == "val", section.classes == nil { section.classes = datasets.first?.classes }
        let dataset = try CocoDataset(
          AnnotationFile(reading: section.annFile), configuration: section, training: name == "train")
        try dataset.checkClasses(fit: read.run.model)
        if name == "val", read.run.evaluation != nil { try dataset.checkGroundTruth() }
        _ = try Pipeline(section.pipeline)
        print("# data.\(name): \(dataset.summary)")
        for warning in dataset.summary.warnings { print("# data.\(name): warning: \(warning)") }
        if name == "test", let reason = dataset.reasonForNoMetrics { print("# data.test: \(reason)") }
        datasets.append(dataset)
      }
      try PictureLookup(world: world, check: read.run.mpi.checkPictures ?? .headers).lookUp(datasets)
      return 0
    }
  }
}
