import Foundation
import Testing
import Training

/// Where configurations are looked for: beside the file that names them, then among those that come with the program.
@Suite struct ShippedConfigurationsTests {
  private static let installed = [
    "prefix/bin/rcnn-train": "", "prefix/share/rcnn-train/configs/bccd.yaml": QuickstartConfiguration.text,
    "prefix/share/rcnn-train/configs/_base_/quick.yaml": QuickstartConfiguration.text,
    "prefix/share/rcnn-train/configs/child.yaml": "_base_: _base_/quick.yaml\nseed: 4\n",
  ]

  /// The installed tree and these files.
  private func read(
    _ files: [String: String], _ name: String, executable: String = "prefix/bin/rcnn-train"
  ) throws -> (read: ReadConfiguration, directory: String) {
    try ConfigurationFixture.withFiles(Self.installed.merging(files) { $1 }) { directory in
      let file = name.hasPrefix("my/") ? "\(directory)/\(name)" : name
      let shipped = try #require(ShippedConfigurations(executable: "\(directory)/\(executable)"))
      return (try ReadConfiguration(file: file, shipped: shipped), directory)
    }
  }

  /// The message without the temporary directory.
  private func message(_ files: [String: String], _ name: String) throws -> String {
    let error = try #require(throws: ConfigurationError.self) { _ = try read(files, name) }
    #expect(error.isMissingFile)
    return error.description.replacing(/\/[^ ]*\/rcnn-[0-9A-F-]+\//, with: "")
  }

  @Test(arguments: [
    ("configs/bccd.yaml", "configs/bccd.yaml", 0), ("bccd.yaml", "configs/bccd.yaml", 0),
    ("_base_/quick.yaml", "configs/_base_/quick.yaml", 0), ("configs/child.yaml", "configs/child.yaml", 4),
  ]) func aBaseThatIsNotBesideIsTheShippedOne(_ name: String, _ path: String, _ seed: Int) throws {
    let (read, directory) = try read(["my/my.yaml": "_base_: \(name)\noptimizer: {lr: 0.5}\n"], "my/my.yaml")
    #expect(read.run.optimizer.lr == 0.5 && read.run.seed == seed && read.run.workDir == "work_dirs/my")
    // One notice: what a shipped file is based on stands beside that.
    #expect(
      read.notices == [
        "\(directory)/my/my.yaml:1:9: notice: base \(name): taken from the configurations that come with the program: "
          + "\(directory)/prefix/share/rcnn-train/\(path)"
      ])
  }

  @Test func theFileBesideComesFirst() throws {
    let files = [
      "my/my.yaml": "_base_: configs/bccd.yaml\n", "my/configs/bccd.yaml": QuickstartConfiguration.text + "seed: 7\n",
    ]
    let read = try read(files, "my/my.yaml").read
    #expect(read.run.seed == 7 && read.notices.isEmpty)
  }

  @Test func aNameOfTheCommandLineIsLookedForTheSameWay() throws {
    let (read, directory) = try read([:], "child.yaml")
    #expect(read.run.seed == 4 && read.run.workDir == "work_dirs/child")
    #expect(
      read.notices == [
        "child.yaml: notice: taken from the configurations that come with the program: "
          + "\(directory)/prefix/share/rcnn-train/configs/child.yaml"
      ])
  }

  @Test func aProgramInABuildFolderTakesThoseOfItsClone() throws {
    let files = [
      "clone/.build-other/release/rcnn-train": "", "clone/configs/quick.yaml": QuickstartConfiguration.text,
      "my/my.yaml": "_base_: configs/quick.yaml\n",
    ]
    let (read, directory) = try read(files, "my/my.yaml", executable: "clone/.build-other/release/rcnn-train")
    #expect(read.notices.first?.hasSuffix(": \(directory)/clone/configs/quick.yaml") == true, "\(read.notices)")
    try ConfigurationFixture.withFiles(["clone/configs/quick.yaml": "", "clone/bin/rcnn-train": ""]) {
      #expect(ShippedConfigurations(executable: "\($0)/clone/bin/rcnn-train") == nil)
    }
  }

  @Test func allFoldersThatWereSearchedAreTold() throws {
    let shipped = "where those are that come with the program"
    #expect(
      try message(["my/my.yaml": "# first\n_base_: sub/none.yaml\n"], "my/my.yaml") == """
        my/my.yaml:2:9: error: base sub/none.yaml: no such file in my/sub, \
        nor in prefix/share/rcnn-train/configs/sub, \(shipped)
            _base_: sub/none.yaml
                    ^
        """)
    #expect(
      try message([:], "none.yaml") == "none.yaml: error: no such file in the current directory, "
        + "nor in prefix/share/rcnn-train/configs, \(shipped)")
    // Names that say where their file is are looked for there alone.
    for name in ["./bccd.yaml", "../bccd.yaml", "/bccd.yaml"] {
      let text = try message(["my/my.yaml": "_base_: \(name)\n"], "my/my.yaml")
      #expect(text.contains("base \(name): no such file in ") && !text.contains("prefix"), "\(text)")
    }
    let alone = try #require(throws: ConfigurationError.self) {
      _ = try ReadConfiguration(file: "bccd.yaml", shipped: nil)
    }
    #expect(alone.description == "bccd.yaml: error: no such file in the current directory" && alone.isMissingFile)
  }

  @Test func aShellIsToldFilesAndWhatIsShipped() throws {
    let files = ["my/a.yaml": "", "my/a.txt": "", "my/ab/c.py": "", "my/b.json": ""]
    try ConfigurationFixture.withFiles(Self.installed.merging(files) { $1 }) { directory in
      let shipped = ShippedConfigurations(executable: "\(directory)/prefix/bin/rcnn-train")
      func completions(_ start: String) -> [String] { ShippedConfigurations.completions(of: start, shipped: shipped) }
      #expect(
        completions("configs/b").contains("configs/bccd.yaml") && !completions("configs/_").contains("configs/_base_"))
      let my = "\(directory)/my/"
      #expect(completions(my) == ["\(my)a.yaml", "\(my)ab/", "\(my)b.json"])
      #expect(completions("\(my)a") == ["\(my)a.yaml", "\(my)ab/"] && completions("\(my)ab/") == ["\(my)ab/c.py"])
      #expect(completions("nothing").isEmpty)
    }
  }
}
