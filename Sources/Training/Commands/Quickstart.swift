import COCO
import Foundation
import Primitives

/// What `rcnn-train` without a configuration needs: the synthetic data set.
enum Quickstart {
  /// Rank 0 writes the data set where the configuration looks for it, unless it is there.
  static func makeData(_ run: RunSetup) throws {
    let annotations = run.configuration.data.train.annFile
    if run.world.rank == 0, !FileManager.default.fileExists(atPath: annotations) {
      let directory = Folder.above(Folder.above(annotations))
      run.logger.info("Writing the shapes data set to \(directory)")
      run.stages?.begin("Drawing its pictures")
      try ShapesDataset.write(to: directory)
    }
    try run.world.barrier()
  }
}
