import ArgumentParser
import Training

struct Browse: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a page with pictures as the pipeline makes them, with their boxes.",
    discussion: """
      Resized, flipped and padded as a training gets them: the same order and the same draws, which depend on the seed, \
      the epoch and the global batch. One HTML file without anything beside it.

        rcnn-train browse my.yaml
        rcnn-train browse my.yaml --epoch 2 --number 60 --out second.html
        rcnn-train browse my.yaml --data val
        rcnn-train browse my.yaml --cfg-options mpi.global_batch=16
      """)

  @Argument(help: "The configuration file.")
  var config: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Changes to the configuration.", valueName: "KEY=VALUE"))
  var cfgOptions: [String] = []

  @Option(help: ArgumentHelp("Which data.", valueName: "train|val|test"))
  var data = DataPart.train

  @Option(
    help: ArgumentHelp("How many pictures: the first of the epoch; of val and test evenly chosen ones.", valueName: "N")
  )
  var number = 24

  @Option(help: ArgumentHelp("Which epoch, from 1 on.", valueName: "E"))
  var epoch = 1

  @Option(
    help: ArgumentHelp(
      "The page (default: browse.html, in the configuration's work directory if that is there, else here).",
      valueName: "FILE"))
  var out: String?

  @Option(help: ArgumentHelp("The seed (default: the configuration's).", valueName: "N"))
  var seed: UInt64?

  func validate() throws {
    guard (1...2000).contains(number) else {
      throw ValidationError("--number is \(number), expected a number from 1 to 2000")
    }
    guard (1...1_000_000).contains(epoch) else {
      throw ValidationError("--epoch is \(epoch), expected a number from 1 to 1,000,000")
    }
  }

  func run() throws {
    var browse = BrowseOptions(config: ConfigSource(path: config, changes: cfgOptions))
    browse.part = data
    browse.number = number
    browse.epoch = epoch
    browse.out = out
    browse.seed = seed
    BrowseRun.start(browse)
  }
}
