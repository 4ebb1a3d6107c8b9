import ArgumentParser
import Training

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws the detections of a checkpoint into pictures and writes them as JSON.",
    discussion: """
      All inputs are looked up first: where one is missing, nothing is begun. A picture that can't be read is reported, \
      the others are written, and the exit code is 65. The drawn pictures keep their names, below the folders in which \
      the inputs differ; they never replace an input. predictions.json is a COCO file with a 'score' for each box.

        rcnn-train predict my.yaml work_dirs/my photos --out-dir seen
        rcnn-train predict my.yaml work_dirs/my 'photos/**/*.jpg' --score-thr 0.5
        rcnn-train predict my.yaml work_dirs/my val2017 --ground-truth instances_val2017.json
      """)

  @Argument(help: "The configuration file.", completion: .configuration)
  var config: String

  @Argument(
    help: "The checkpoint: an .h5, .pth or .safetensors file, or a folder of checkpoints.", completion: .weights)
  var checkpoint: String

  @Argument(
    help: ArgumentHelp(
      "Pictures (JPEG, PNG, WebP, TIFF, BMP, GIF), folders of them, and patterns in quotes (* ? [a-z] {jpg,png}, ** for "
        + "any folders)."), completion: .file())
  var inputs: [String]

  @Flag(help: "Look into the folders in folders, too.")
  var recursive = false

  @Option(help: ArgumentHelp("The least score that is drawn and written, from 0 to 1.", valueName: "SCORE"))
  var scoreThr: Float = 0.3

  @Option(
    help: ArgumentHelp(
      "Draw the boxes of a COCO annotation file, too (dashed), matched by the names of the pictures.",
      valueName: "FILE"))
  var groundTruth: String?

  @Option(
    help: ArgumentHelp("Where the drawn pictures and predictions.json go.", valueName: "DIR"),
    completion: .directory)
  var outDir = "predictions"

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Changes to the configuration, for example model.test_cfg.rcnn.max_per_img=300.", valueName: "KEY=VALUE"))
  var cfgOptions: [String] = []

  func validate() throws {
    guard (0...1).contains(scoreThr) else {
      throw ValidationError("--score-thr is \(scoreThr), expected a number from 0 to 1")
    }
  }

  func run() throws {
    var options = PredictOptions(
      config: ConfigSource(path: config, changes: cfgOptions), checkpoint: checkpoint, inputs: inputs)
    options.isRecursive = recursive
    options.scoreThr = scoreThr
    options.groundTruth = groundTruth
    options.outDir = outDir
    PredictRun.start(options)
  }
}
