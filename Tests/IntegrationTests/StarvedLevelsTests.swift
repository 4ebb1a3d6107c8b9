import Detection
import Foundation
import Kernels
import Testing
import Training

extension ProgramTests {
  /// Ranks whose images leave a level of the pyramid without RoIs, or have no objects at all.
  @Suite("Starved levels", .long) struct StarvedLevels {
    /// With `finest_scale: 8`, one box for each of the four levels.
    private static let boxes = [
      BoxedImage.Box(x: 90, y: 40, side: 12), BoxedImage.Box(x: 90, y: 4, side: 24),
      BoxedImage.Box(x: 76, y: 44, side: 48), BoxedImage.Box(x: 4, y: 8, side: 80),
    ]

    private let inFileOrder = ["mpi.shuffle=false", "data.train.filter_empty_gt=false", "log_config.interval=1"]
    /// No proposal is large enough, so that the RoIs are the annotated boxes.
    private let annotatedBoxesOnly = ["model.train_cfg.rpn_proposal.min_bbox_size=10000"]

    /// The sums over images round differently on each number of ranks, and random weights give proposals of almost equal
    /// scores, which the last bit of a score can swap: as in `Ranks`, the weights have learned something before, and the
    /// sampler takes all proposals.
    private let allProposals = [
      "model.train_cfg.rcnn.sampler.num=64", "model.train_cfg.rcnn.sampler.pos_fraction=1.0",
    ]

    @Test("A level that gets no RoI on one rank", arguments: 0..<4)
    func starvedLevel(_ level: Int) throws {
      let others = Self.boxes.indices.filter { $0 != level }.map { Self.boxes[$0] }
      // Of each batch of 4, the images of rank 0 of 2, and of ranks 0 and 1 of 4, starve the level.
      let images = [others, others, Self.boxes, Self.boxes, others, others, Self.boxes, Self.boxes]
      let run = try TinyRun(images: images.map(BoxedImage.init))
      let model = try ReadConfiguration(file: run.folder.path("tiny.yaml")).run.model
      let configuration = model.roiHead!.stages[0].extractor.cut
      let extractor = SingleRoIExtractor(configuration: configuration)
      #expect(others.map { extractor.level(of: $0.region) } == [0, 1, 2, 3].filter { $0 != level })
      #expect(configuration.featmapStrides.count == 4)
      try compare(run, iterations: 6, ranks: [2, 4], options: annotatedBoxesOnly)
    }

    /// Annotated boxes are all that the first stage sees, and all that the others add.
    @Test("A level that gets no RoI on one rank in any stage of a cascade, and a rank without objects")
    func cascade() throws {
      let others = Array(Self.boxes[1...])
      let images = [others, [], Self.boxes, Self.boxes, others, [], Self.boxes, Self.boxes]
      let run = try TinyRun(images: images.map(BoxedImage.init))
      try compare(run, iterations: 6, ranks: [2, 4], options: TinyRun.cascade + annotatedBoxesOnly)
    }

    @Test("A rank without objects", arguments: [false, true])
    func emptyImages(_ hasProposals: Bool) throws {
      // Rank 1 of 2, and ranks 2 and 3 of 4, never see an object; without proposals they never have a RoI either.
      let images = [Self.boxes, Self.boxes, [], [], Self.boxes, Self.boxes, [], []]
      let run = try TinyRun(images: images.map(BoxedImage.init))
      guard hasProposals else {
        return try compare(run, iterations: 20, ranks: [2, 4], options: annotatedBoxesOnly)
      }
      try run.train("weights", ranks: 1, batch: 4, iterations: 40, options: inFileOrder)
      try compare(
        run, iterations: 20, ranks: [2, 4], options: allProposals, arguments: ["--load-from", "weights/latest.h5"])
    }

    /// Compares losses and the trained parameters with those of one rank.
    private func compare(
      _ run: TinyRun, iterations: Int, ranks: [Int], options: [String], arguments: [String] = []
    ) throws {
      let options = inFileOrder + options
      let alone = try run.train(
        "1", ranks: 1, batch: 4, iterations: iterations, options: options, arguments: arguments)
      let expected = try run.checkpoint("1/latest.h5")
      let runs = ranks.map { ($0, true) } + [(ranks[0], false)]
      for (ranks, keepsLevels) in runs {
        let what = "\(ranks) ranks\(keepsLevels ? "" : ", levels not kept in the graph")"
        let log = try run.train(
          "\(ranks)-\(keepsLevels)", ranks: ranks, batch: 4, iterations: iterations,
          options: options + ["mpi.keep_levels_in_graph=\(keepsLevels)"], arguments: arguments)
        log.expectSameLosses(as: alone.steps[...], what)
        expectSameModel(try run.checkpoint("\(ranks)-\(keepsLevels)/latest.h5"), expected, what)
      }
    }
  }
}

extension BoxedImage.Box {
  fileprivate var region: RegionOfInterest {
    RegionOfInterest(image: 0, x1: Float(x), y1: Float(y), x2: Float(x + side), y2: Float(y + side))
  }
}
