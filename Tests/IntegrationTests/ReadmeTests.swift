import COCO
import Foundation
import TestSupport
import Testing
import Yams

extension ProgramTests {
  /// The fenced commands of the three READMEs, each as it stands, one after the other as a reader would type them.
  @Suite("The READMEs", .long) struct Readmes {
    /// What needs more than one machine has, and why.
    private static let passedOver = [
      "mpirun -np 8 --hostfile launch/hostfile.example": "it needs two hosts; TwoHosts stands for them",
      "sbatch launch/slurm.sbatch": "it needs Slurm; LaunchScriptTests has a stand-in",
      "tensorboard --logdir": "a server that goes on, of PyPI's tensorboard",
    ]

    @Test("Each command works as it stands")
    func commands() throws {
      let stage = try ReadmeStage()
      var unused = Set(Self.passedOver.keys)
      for page in ["README.md", "configs/README.md", "configs/REPORTS.md", "launch/README.md"] {
        for block in try FencedBlock.all(in: stage.repositoryFile(page), page: page) {
          switch block.language {
          case "sh":
            for (line, command) in block.commands {
              if let known = Self.passedOver.keys.first(where: command.hasPrefix) {
                unused.remove(known)
                continue
              }
              let outcome = try stage.run(command)
              #expect(outcome.code == 0, "\(page):\(line): \(command): \(outcome)")
            }
          case "yaml": try stage.take(block)
          case "python": try stage.runPython(block)
          default: #expect(block.language == "", "\(page):\(block.line): what is '\(block.language)'?")
          }
        }
      }
      #expect(unused.isEmpty, "in no README any more: \(unused)")
      try stage.expectWhatIsPromised()
    }
  }
}

/// A block between fences.
private struct FencedBlock {
  let page: String
  /// Of the first line behind the fence, from 1.
  let line: Int
  let language: String
  let lines: [Substring]

  var text: String { lines.joined(separator: "\n") + "\n" }

  static func all(in text: String, page: String) throws -> [FencedBlock] {
    var blocks: [FencedBlock] = []
    var (open, content): ((line: Int, language: String)?, [Substring]) = (nil, [])
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.hasPrefix("```") {
        if let begun = open {
          blocks.append(FencedBlock(page: page, line: begun.line, language: begun.language, lines: content))
          (open, content) = (nil, [])
        } else {
          open = (index + 2, String(line.dropFirst(3)))
        }
      } else if open != nil {
        content.append(line)
      }
    }
    try #require(open == nil && !blocks.isEmpty, "\(page): a fence is not closed, or there is none")
    return blocks
  }

  /// A command a line; a line that ends with a backslash goes on in the next.
  var commands: [(line: Int, command: String)] {
    var commands: [(line: Int, command: String)] = []
    var begun: (line: Int, text: String)?
    for (offset, line) in lines.enumerated() {
      let text = (begun?.text ?? "") + line
      if text.hasSuffix("\\") {
        begun = (begun?.line ?? self.line + offset, String(text.dropLast()))
      } else {
        if text.contains(where: { !$0.isWhitespace }) { commands.append((begun?.line ?? self.line + offset, text)) }
        begun = nil
      }
    }
    return commands
  }
}

/// A folder like a clone in which the program was built, with little data: `launch` and `configs` as they are, a stand-in
/// for Swift, since everything is built, and the pictures that the READMEs speak of.
private struct ReadmeStage {
  let folder: TemporaryFolder
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  init() throws {
    folder = try TemporaryFolder()
    let files = FileManager.default
    let built = URL(fileURLWithPath: Program.executable).deletingLastPathComponent().path
    for name in ["launch", "configs", "LICENSE"] {
      try files.copyItem(atPath: "\(Self.root)/\(name)", toPath: folder.path(name))
    }
    for name in ["bin", "home", ".build", ".build-install", "cam1/day", "data", "weights"] {
      try files.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
    }
    for name in [".build/release", ".build-install/release"] {
      try files.createSymbolicLink(atPath: folder.path(name), withDestinationPath: built)
    }
    for name in ["rcnn-train", "rcnn-bench"] {
      try files.createSymbolicLink(atPath: folder.path("bin/\(name)"), withDestinationPath: "\(built)/\(name)")
    }
    try folder.write(
      "#!/bin/sh\n[ \"$1\" != --version ] || echo 'Swift version 6.1'\necho \"swift $*\" >> \"$STAGE/swift.log\"\n",
      to: "bin/swift")
    try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("bin/swift"))
    // The quickstart takes the shapes that are there.
    let shapes = folder.path("work_dirs/shapes")
    try ShapesDataset.write(to: shapes, trainCount: 24, valCount: 8, seed: 5)
    let pictures = try folder.names(in: "work_dirs/shapes/val")
    try files.copyItem(atPath: "\(shapes)/val", toPath: folder.path("photos"))
    try files.copyItem(atPath: "\(shapes)/train", toPath: folder.path("data/train2017"))
    for (picture, copy) in zip(pictures, ["a.jpg", "cam1/b.jpg", "cam1/day/c.jpg"]) {
      try files.copyItem(atPath: "\(shapes)/val/\(picture)", toPath: folder.path(copy))
    }
    try files.copyItem(
      atPath: "\(Self.root)/Tests/Goldens/tiny_mmdet.pth", toPath: folder.path("faster_rcnn_r50_fpn_1x_coco.pth"))
  }

  func repositoryFile(_ name: String) throws -> String {
    try String(contentsOfFile: "\(Self.root)/\(name)", encoding: .utf8)
  }

  func run(_ command: String) throws -> Outcome {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return try RunningProgram(
      ["bash", "-e", "-o", "pipefail", "-c", command], in: folder,
      environment: [
        "PATH": "\(folder.path("bin")):\(path)", "HOME": folder.path("home"), "STAGE": folder.root,
        // The commands are for more cores than a test may have.
        "OMPI_MCA_rmaps_base_oversubscribe": "1", "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
      ]
    ).wait()
  }

  /// The ten lines go where the README says; what else is YAML is looked at.
  func take(_ block: FencedBlock) throws {
    guard block.text.hasPrefix("_base_:") else {
      #expect(try Yams.compose(yaml: block.text) != nil, "\(block.page):\(block.line)")
      return
    }
    var lines = String(decoding: try folder.read("my.yaml"), as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    func key(_ line: Substring) -> Substring { line.prefix { $0 != ":" } }
    #expect(block.lines.count == 10 && lines[1...10].map(key) == block.lines.map(key))
    lines.replaceSubrange(1...10, with: block.lines)
    try folder.write(lines.joined(separator: "\n"), to: "my.yaml")
  }

  /// With a model that has PyTorch's shape of one; skipped, with a word, where h5py is not installed.
  func runPython(_ block: FencedBlock) throws {
    guard Python.has("h5py", "numpy") else {
      print("\(block.page):\(block.line): skipped: python3 with h5py and numpy is not installed")
      return
    }
    let model = """
      import numpy
      class Tensor:
          def numpy(self): return numpy.ones((2, 3), numpy.float32)
      class model:
          @staticmethod
          def state_dict(): return {"backbone.conv1.weight": Tensor()}

      """
    try folder.write(model + block.text, to: "block.py")
    let outcome = try run("python3 block.py")
    #expect(outcome.code == 0, "\(block.page):\(block.line): \(outcome)")
  }

  /// Files that the text names.
  func expectWhatIsPromised() throws {
    for name in [
      "work_dirs/quickstart/latest.h5", "work_dirs/quickstart/pictures/predictions.json", "work_dirs/my/epoch_12.h5",
      "work_dirs/my/report.html", "browse.html", "detections.json", "seen/predictions.json", "weights.h5",
      "weights.pth",
      "weights.safetensors", "home/.local/bin/rcnn-train", "data/train2017.tar",
    ] {
      #expect(folder.exists(name), "\(name)")
    }
    let swift = String(decoding: try folder.read("swift.log"), as: UTF8.self)
    #expect(swift.contains("swift build -c release") && swift.contains("swift test -c release"), "\(swift)")
  }
}
