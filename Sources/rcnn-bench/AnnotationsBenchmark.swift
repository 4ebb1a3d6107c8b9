import ArgumentParser
import COCO
import Foundation
import MPI
import Primitives
import Training

/// `rcnn-bench annotations`: how fast an annotation file becomes a training data set, and in how much memory.
struct AnnotationsBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "annotations",
    abstract: "Times the loading of an annotation file as 'train' does it, alone or under mpirun, or writes one.",
    discussion: "Peak memory is the process's, with the program itself: see --repeat.")

  @Argument(help: "A COCO annotation file.")
  var file: String

  @Flag(help: "Write a file like instances_train2017.json (about 450 MB) instead of loading one.")
  var write = false

  @Option(help: "Images to write.")
  var images = 118_287

  @Option(help: "Annotations to write.")
  var annotations = 860_001

  @Option(help: "Also look the pictures up in this folder; with --write, make a file of one byte for each.")
  var pictures: String?

  @Option(help: "Load it so often; the time is the shortest.")
  var `repeat` = 3

  @Flag(help: "Print one line of JSON.")
  var json = false

  func validate() throws {
    guard images > 0, annotations >= 0, `repeat` > 0 else {
      throw ValidationError("--images and --repeat are numbers from 1 on, --annotations from 0 on")
    }
  }

  func run() throws {
    Boundary.run(singleRank: write) { world in
      if write {
        let generator = AnnotationGenerator(images: images, annotations: annotations)
        try generator.write(to: file)
        if let pictures { try generator.writePictures(to: pictures) }
      } else {
        try load(world)
      }
      return 0
    }
  }

  private func load(_ world: World) throws {
    var (seconds, summary): ([Double], DatasetSummary?) = ([], nil)
    var lookups: [Double] = []
    var configuration = DatasetConfiguration()
    (configuration.annFile, configuration.imgPrefix) = (file, pictures ?? "")
    for _ in 0..<`repeat` {
      try world.barrier()
      let start = ContinuousClock.now
      let annotations = try SharedAnnotations.load(configuration, in: world)
      let dataset = try CocoDataset(annotations, configuration: configuration, training: true)
      summary = dataset.summary
      try world.barrier()
      seconds.append(start.duration(to: .now).seconds)
      guard pictures != nil else { continue }
      let lookup = ContinuousClock.now
      try PictureLookup(world: world, check: .names).lookUp([dataset])
      lookups.append(lookup.duration(to: .now).seconds)
    }
    let peak = try largestPeakRSS(world)
    guard world.rank == 0, let summary, let best = seconds.min() else { return }
    let attributes = try FileManager.default.attributesOfItem(atPath: file)
    let megabytes = (attributes[.size] as? Double ?? 0) / 1e6
    if json {
      var numbers: [(String, JSON)] = [
        ("bench", .text("annotations")), ("megabytes", .decimal(megabytes, digits: 1)),
        ("images", .integer(summary.images)), ("boxes", .integer(summary.boxes)), ("ranks", .integer(world.size)),
        ("seconds", .decimal(best, digits: 4)), ("megabytes_per_second", .decimal(megabytes / best, digits: 1)),
        ("peak_rss_mib", .decimal(peak, digits: 1)),
      ]
      if let lookup = lookups.min() { numbers.append(("lookup_seconds", .decimal(lookup, digits: 4))) }
      print(JSON.object(numbers).text())
    } else {
      print(
        """
        file            \(decimal(megabytes, 1)) MB: \(summary)
        ranks           \(world.size), \(world.localSize) on this node
        load            \(decimal(best, 3)) s (shortest of \(seconds.count)), \(decimal(megabytes / best, 0)) MB/s
        memory          \(decimal(peak, 0)) MiB, the largest rank's peak
        """)
      if let lookup = lookups.min() { print("pictures        looked up in \(decimal(lookup, 3)) s") }
    }
  }
}
