import Foundation
import Testing
import Training

/// `_base_`, `--cfg-options`, and the text that a run keeps.
@Suite struct ConfigurationBaseTests {
  /// The quickstart text as a base, and `child` on top of it.
  private func read(child: String, bases: [String: String] = [:], options: [String] = []) throws -> ReadConfiguration {
    var files = bases
    files["_base_/quick.yaml"] = QuickstartConfiguration.text
    files["sub/child.yaml"] = child
    return try ConfigurationFixture.withFiles(files) { directory in
      try ReadConfiguration(file: "\(directory)/sub/child.yaml", options: options)
    }
  }

  /// The message without the temporary directory.
  private func message(child: String, bases: [String: String] = [:]) throws -> String {
    let error = try #require(throws: ConfigurationError.self) { _ = try read(child: child, bases: bases) }
    return error.description.replacing(/\/[^ ]*\/rcnn-[0-9A-F-]+\//, with: "")
  }

  @Test func mappingsMergeKeyByKeyAndListsReplace() throws {
    let run = try read(
      child: """
        _base_: ../_base_/quick.yaml
        optimizer: {lr: 0.5}
        lr_config: {step: [3]}
        """
    ).run
    #expect(run.optimizer.lr == 0.5)
    #expect(run.optimizer.momentum == 0.9)
    #expect(run.learningRate.policy == .step(milestones: [3], gamma: 0.1, minLR: nil))
    #expect(run.workDir == "work_dirs/child")
  }

  @Test func deleteReplacesTheMapping() throws {
    let run = try read(
      child: """
        _base_: [../_base_/quick.yaml]
        optimizer: {_delete_: true, type: SGD, lr: 0.5}
        optimizer_config: {grad_clip: null}
        """
    ).run
    #expect(run.optimizer.momentum == 0)
    #expect(run.optimizer.gradClip == nil)
  }

  @Test func mappingTakesThePlaceOfNullInTheBase() throws {
    let run = try read(
      child: "_base_: [../_base_/middle.yaml]\noptimizer_config: {grad_clip: {max_norm: 35}}\n",
      bases: ["_base_/middle.yaml": "_base_: quick.yaml\noptimizer_config: {grad_clip: null}\n"]
    ).run
    #expect(run.optimizer.gradClip?.maxNorm == 35)
    #expect(run.optimizer.gradClip?.normType == 2)
  }

  @Test func mappingOverAValueIsAnError() throws {
    #expect(
      try message(child: "_base_: ../_base_/quick.yaml\noptimizer: {lr: {base: 1}}\n") == """
        sub/child.yaml:2:13: error: 'optimizer.lr' is a mapping here and 0.015 in the base
            optimizer: {lr: {base: 1}}
                        ^ '_delete_: true' in the mapping replaces the base's value
        """)
  }

  @Test func twoBasesWithOneKeyAreAnError() throws {
    #expect(
      try message(
        child: "_base_: [../_base_/a.yaml, ../_base_/b.yaml]\n",
        bases: ["_base_/a.yaml": "x: 1\nseed: 1\n", "_base_/b.yaml": "seed: 2\n"]) == """
          sub/../_base_/b.yaml:1:1: error: key 'seed' is also defined by another base, at sub/../_base_/a.yaml:2:1
              seed: 2
              ^
          """)
  }

  @Test func cycleIsAnError() throws {
    #expect(
      try message(child: "_base_: ../_base_/a.yaml\n", bases: ["_base_/a.yaml": "_base_: ../sub/child.yaml\n"]) == """
        sub/../_base_/a.yaml:1:9: error: '_base_' leads back to \
        sub/../_base_/../sub/child.yaml, which is being read already
            _base_: ../sub/child.yaml
                    ^
        """)
  }

  @Test func optionsReachIntoListsAndTakeLists() throws {
    let run = try ConfigurationFixture.read(options: [
      "data.train.pipeline.3.flip_ratio=0", "data.train.pipeline.2.img_scale=[(320,240),(160,120)]",
      "lr_config.step=2,3", "optimizer_config.grad_clip=None", "data.val.data_root=/a b/c", "mpi.threads_per_rank=3",
      "runner.max_iters=7", "data.train.classes=['circle', rectangle, triangle, star, ring]", "seed=12",
    ]).run
    #expect(run.data.train.pipeline.count == 3)
    #expect(
      run.data.train.pipeline.first
        == .resize(
          scales: [.init(width: 320, height: 240), .init(width: 160, height: 120)], mode: .range, keepRatio: true,
          clipsBoxes: true))
    #expect(run.learningRate.policy == .step(milestones: [2, 3], gamma: 0.1, minLR: nil))
    #expect(run.optimizer.gradClip == nil)
    #expect(run.data.val?.annFile == "/a b/c/work_dirs/shapes/annotations/instances_val.json")
    #expect(run.mpi.threadsPerRank == 3)
    #expect(run.runner.maxIters == 7)
    #expect(run.runner.maxEpochs != nil)
    #expect(run.seed == 12)
  }

  @Test(arguments: ["quickstart", "bccd", "faster_rcnn_r50_fpn_1x_coco"])
  func resolvedTextReadsAgainToTheSame(_ name: String) throws {
    let options = ["optimizer_config.grad_clip={max_norm: 35, norm_type: inf}", "data.train.img_prefix='0123'"]
    let first = try ReadConfiguration(
      file: "\(ConfigurationFixture.repository)/configs/\(name).yaml", options: options + ["load_from=a: #b"])
    let second = try ReadConfiguration(text: first.resolved, name: "config.yaml")
    #expect(first.run.workDir == "work_dirs/\(name)")
    #expect(first.run.loadFrom == "a: #b")
    #expect(first.run.optimizer.gradClip?.normType == .infinity)
    #expect(second.run == first.run)
    #expect(second.resolved == first.resolved)
    #expect(first.run != (try ReadConfiguration(text: first.resolved, name: "c", options: ["seed=9"])).run)
  }
}
