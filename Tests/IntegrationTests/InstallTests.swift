import Foundation
import TestSupport
import Testing

/// `launch/install` with the executables that the tests have anyway: what it installs works from any folder, and goes again.
@Suite struct InstallTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  /// With a space in it.
  private static let prefix = "my prefix"
  private static let built = URL(fileURLWithPath: Program.executable).deletingLastPathComponent().path

  private static func run(
    _ command: [String], in folder: TemporaryFolder, _ environment: [String: String] = [:]
  ) throws -> Outcome {
    try RunningProgram(command, in: folder, environment: environment).wait()
  }

  private static func install(_ arguments: [String], in folder: TemporaryFolder) throws -> Outcome {
    try run(["\(root)/launch/install"] + arguments, in: folder)
  }

  private static func installed() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let outcome = try install(["--from", built, folder.path(prefix)], in: folder)
    try #require(outcome.code == 0, "\(outcome)")
    return folder
  }

  @Test("The installed program finds its configurations from an empty folder, and says so")
  func configurations() throws {
    let folder = try Self.installed()
    let program = folder.path("\(Self.prefix)/bin/rcnn-train")
    let configs = folder.path("\(Self.prefix)/share/rcnn-train/configs")
    try folder.write("_base_: configs/quickstart.yaml\nseed: 3\n", to: "my.yaml")
    try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: program)
    for (command, config, start) in [
      (program, "my.yaml", "# my.yaml:1:9: notice: base configs/quickstart.yaml:"),
      (folder.path("link"), "configs/quickstart.yaml", "# configs/quickstart.yaml: notice:"),
    ] {
      let outcome = try Self.run([command, "check", config, "--print-config"], in: folder)
      let notice = "\(start) taken from the configurations that come with the program: \(configs)/quickstart.yaml\n"
      #expect(outcome.output.contains(notice) && outcome.output.contains("max_epochs: 12"), "\(outcome)")
      #expect(outcome.output.contains("work_dir: 'work_dirs/\(config.hasPrefix("my") ? "my" : "quickstart")'"))
    }
    try folder.write("_base_: configs/none.yaml\n", to: "none.yaml")
    let missing = try Self.run([program, "check", "none.yaml"], in: folder)
    #expect(
      missing.code == 66 && missing.errors.contains("none.yaml:1:9: error: base configs/none.yaml: "), "\(missing)")
    #expect(missing.errors.contains("nor in \(configs)"), "\(missing)")
  }

  @Test("The scripts find the program beside them")
  func scripts() throws {
    let folder = try Self.installed()
    let bin = folder.path("\(Self.prefix)/bin")
    let citation = try String(contentsOfFile: "\(Self.root)/CITATION.cff", encoding: .utf8)
    let version = try #require(citation.firstMatch(of: /(?m)^version: (\S+)$/)).1
    let local = try Self.run(["\(bin)/rcnn-train-local", "2", "--version"], in: folder)
    #expect(local.code == 0 && local.output == "\(version)\n", "\(local)")
    let keep = try Self.run(["\(bin)/rcnn-train-keep", "1", "none.yaml"], in: folder)
    #expect(keep.code == 66 && keep.errors.contains("none.yaml: error: no such file"), "\(keep)")
    let packages = try Self.run(["\(bin)/rcnn-train-requirements", "--packages"], in: folder)
    #expect(packages.code == 0 && packages.output.contains("openmpi-bin\n"), "\(packages)")
    // Slurm runs a copy of the script, anywhere.
    try FileManager.default.copyItem(
      atPath: "\(bin)/../share/rcnn-train/launch/slurm.sbatch", toPath: folder.path("copy"))
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    for (path, words) in [("\(bin):\(path)", "none.yaml: error: no such file"), (path, "PREFIX/bin on the PATH")] {
      let slurm = try Self.run(
        ["bash", folder.path("copy"), "none.yaml"], in: folder, ["PATH": path, "SLURM_SUBMIT_DIR": folder.root])
      #expect(slurm.code == 66 && slurm.errors.contains(words), "\(slurm)")
    }
    #expect(try folder.names(in: "\(Self.prefix)/share/modulefiles/rcnn-train") == [String(version)])
    let module = try String(
      decoding: folder.read("\(Self.prefix)/share/modulefiles/rcnn-train/\(version)"), as: UTF8.self)
    #expect(module.hasPrefix("#%Module") && module.contains("{\(folder.path(Self.prefix))}") && !module.contains("@"))
  }

  @Test("Completions are scripts, and complete configurations")
  func completions() throws {
    let folder = try Self.installed()
    let share = folder.path("\(Self.prefix)/share")
    for name in ["rcnn-train", "rcnn-bench"] {
      let script = "\(share)/bash-completion/completions/\(name)"
      let words = "source '\(script)' && complete -p \(name)"
      let bash = try Self.run(["bash", "-c", words], in: folder)
      #expect(bash.code == 0 && bash.output.hasSuffix(" \(name)\n"), "\(bash)")
      #expect(folder.exists("\(Self.prefix)/share/zsh/site-functions/_\(name)"))
      #expect(folder.exists("\(Self.prefix)/share/fish/vendor_completions.d/\(name).fish"))
      for shell in ["zsh", "fish"] where areInstalled(shell) {
        let file = shell == "zsh" ? "zsh/site-functions/_\(name)" : "fish/vendor_completions.d/\(name).fish"
        #expect(try Self.run([shell, "-n", "\(share)/\(file)"], in: folder).code == 0)
      }
    }
    let line = "rcnn-train check configs/qui"
    let complete = """
      PATH="$1:$PATH"
      source "$2/bash-completion/completions/rcnn-train"
      COMP_LINE='\(line)' COMP_POINT=\(line.count) COMP_CWORD=2 COMP_WORDS=(\(line)) COMP_TYPE=9
      $(complete -p rcnn-train | sed 's/.*-F \\([^ ]*\\) .*/\\1/') rcnn-train configs/qui check
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let reply = try Self.run(
      ["bash", "-c", complete, "bash", folder.path("\(Self.prefix)/bin"), share], in: folder)
    #expect(reply.output.contains("configs/quickstart.yaml"), "\(reply)")
  }

  @Test("Manual pages name all commands")
  func manualPages() throws {
    let folder = try Self.installed()
    for (name, commands) in [
      ("rcnn-train", ["train", "test", "predict", "convert"]), ("rcnn-bench", ["step", "plan"]),
    ] {
      let path = "\(Self.prefix)/share/man/man1/\(name).1"
      let text = String(decoding: try folder.read(path), as: UTF8.self)
      #expect(text.hasPrefix(".TH \"\(name.uppercased().replacing("-", with: "\\-"))\" 1 "))
      for command in commands { #expect(text.contains(".SS \"\(name.replacing("-", with: "\\-")) \(command)\"\n")) }
      #expect(!text.contains("read\\-hdf5") && text.contains("\\fB\\-\\-") && text.contains(".SH \"EXIT STATUS\""))
    }
  }

  @Test(
    "groff finds nothing to warn about in the manual pages", .enabled(if: areInstalled("groff"), "groff is missing"))
  func manualPagesForGroff() throws {
    let folder = try Self.installed()
    for name in ["rcnn-train", "rcnn-bench"] {
      let page = folder.path("\(Self.prefix)/share/man/man1/\(name).1")
      let outcome = try Self.run(["groff", "-man", "-Tascii", "-ww", "-z", page], in: folder)
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
    }
  }

  @Test("Installing again replaces files, takes old ones away, and uninstalling leaves what is the user's")
  func again() throws {
    let folder = try Self.installed()
    let record = "\(Self.prefix)/share/rcnn-train/installed"
    let old = try String(decoding: folder.read(record), as: UTF8.self)
    try folder.write(old + "share/rcnn-train/configs/former.yaml\n", to: record)
    try folder.write("", to: "\(Self.prefix)/share/rcnn-train/configs/former.yaml")
    try folder.write("", to: "\(Self.prefix)/share/rcnn-train/configs/mine.yaml")
    let program = folder.path("\(Self.prefix)/bin/rcnn-train")
    func inode() throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: program)[.systemFileNumber] as? Int
    }
    let before = try inode()
    let running = FileHandle(forReadingAtPath: program)
    let outcome = try Self.install(["--from", Self.built, Self.prefix], in: folder)
    try #require(outcome.code == 0, "\(outcome)")
    // Another file in its place: who has the old one open keeps it.
    #expect(try inode() != before && (try running?.read(upToCount: 4)) == Data([0x7F, 0x45, 0x4C, 0x46]))
    #expect(!folder.exists("\(Self.prefix)/share/rcnn-train/configs/former.yaml"))
    #expect(try String(decoding: folder.read(record), as: UTF8.self) == old)
    #expect(try folder.names(in: Self.prefix) == ["bin", "share"])

    let uninstalled = try Self.install(["--uninstall", Self.prefix], in: folder)
    #expect(uninstalled.code == 0 && uninstalled.output.hasPrefix("removed "), "\(uninstalled)")
    let left = try FileManager.default.subpathsOfDirectory(atPath: folder.path(Self.prefix)).sorted()
    #expect(
      left == ["share", "share/rcnn-train", "share/rcnn-train/configs", "share/rcnn-train/configs/mine.yaml"], "\(left)"
    )

    let second = try Self.installed()
    let gone = try Self.run(["\(second.path(Self.prefix))/share/rcnn-train/launch/uninstall"], in: second)
    #expect(gone.code == 0 && !second.exists(Self.prefix), "\(gone)")
  }

  @Test("What is wrong with the request is a sentence, and nothing is written")
  func messages() throws {
    let folder = try TemporaryFolder()
    try folder.write("", to: "file")
    try FileManager.default.createDirectory(atPath: folder.path("empty"), withIntermediateDirectories: true)
    for (arguments, code, words) in [
      (
        ["--from", Self.built, "file/prefix"], Int32(74),
        "install: error: can't write to \(folder.path("file/prefix")): "
      ),
      (["--from", folder.path("empty"), "prefix"], 66, "rcnn-train is not there"), (["--unknown"], 64, "usage: "),
      (["a", "b"], 64, "usage: "), (["--uninstall", "prefix"], 66, "nothing is installed in \(folder.path("prefix"))"),
    ] {
      let outcome = try Self.install(arguments, in: folder)
      #expect(outcome.code == code && outcome.errors.contains(words), "\(arguments): \(outcome)")
    }
    #expect(!folder.exists("prefix"))
    let help = try Self.install(["--help"], in: folder)
    #expect(help.code == 0 && help.output.contains("RCNN_MARCH") && help.errors.isEmpty, "\(help)")
  }
}
