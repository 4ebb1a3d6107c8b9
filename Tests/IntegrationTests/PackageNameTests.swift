import Foundation
import TestSupport
import Testing

/// Who names packages: `launch/setup` for building, `launch/requirements` for running, and nobody else.
@Suite struct PackageNameTests {
  private static let launch = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("launch").path

  /// A folder with stand-ins for programs, before the PATH.
  private struct Stage {
    let folder = try! TemporaryFolder()

    init(_ standIns: [String: String]) throws {
      try FileManager.default.createDirectory(atPath: folder.path("bin"), withIntermediateDirectories: true)
      for (name, script) in standIns {
        try folder.write("#!/bin/bash\n\(script)\n", to: "bin/\(name)")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("bin/\(name)"))
      }
    }

    func run(_ script: String, _ arguments: [String] = [], path: String? = nil) throws -> Outcome {
      let path = path ?? ProcessInfo.processInfo.environment["PATH"] ?? ""
      let environment = [
        "PATH": "\(folder.path("bin")):\(path)", "RCNN_TRAIN": folder.path("bin/rcnn-train"), "HOME": folder.root,
      ]
      return try RunningProgram(
        ["bash", "\(PackageNameTests.launch)/\(script)"] + arguments, in: folder, environment: environment
      ).wait()
    }
  }

  private static func missing(_ libraries: [String]) -> String {
    "cat << 'END'\n\tlibm.so.6 => /lib/libm.so.6 (0x00007f)\n"
      + libraries.map { "\t\($0) => not found\n" }.joined() + "END"
  }

  /// An apt that has these packages.
  private static func apt(_ packages: [String]) -> String {
    """
    case " \(packages.joined(separator: " ")) " in
      *" $2 "*) printf '%s:\\n  Installed: (none)\\n  Candidate: 1.0\\n' "$2" ;;
      *) printf '%s:\\n  Installed: (none)\\n  Candidate: (none)\\n' "$2" ;;
    esac
    """
  }

  private static let libraries = ["libmpi.so.40", "libhdf5_serial.so.103", "libpng16.so.16", "libgif.so.7"]

  @Test(arguments: [
    (
      ["openmpi-bin", "libopenmpi3", "libhdf5-103-1", "libpng16-16", "libgif7"],
      "libgif7 libhdf5-103-1 libopenmpi3 libpng16-16"
    ),
    (
      ["openmpi-bin", "libopenmpi3t64", "libhdf5-103-1t64", "libpng16-16t64", "libgif7"],
      "libgif7 libhdf5-103-1t64 libopenmpi3t64 libpng16-16t64"
    ),
  ]) func missingLibrariesAreOneCommand(_ packages: [String], _ named: String) throws {
    let stage = try Stage([
      "ldd": Self.missing(Self.libraries), "apt-cache": Self.apt(packages), "rcnn-train": "", "mpirun": "", "pgrep": "",
    ])
    let outcome = try stage.run("requirements")
    #expect(outcome.code == 1, "\(outcome)")
    #expect(outcome.output.hasSuffix("apt-get install --yes --no-install-recommends \(named)\n"), "\(outcome)")
    #expect(
      !outcome.output.contains("update") && outcome.errors.contains("missing: libgif.so.7 (libgif7)"), "\(outcome)")
    let all = try stage.run("requirements", ["--packages"])
    #expect(all.output.split(separator: "\n") == ["openmpi-bin", "procps"] + named.split(separator: " "), "\(all)")
  }

  @Test func whatNoPackageMendsIsSaid() throws {
    // Built where HDF5 is another version; built with Swift's shared libraries; built on a newer system; not at all.
    let names = ["openmpi-bin", "libopenmpi40", "libhdf5-310"]
    for (ldd, code, words) in [
      (Self.missing(["libhdf5_serial.so.103"]), Int32(1), "libhdf5_serial.so.103, which no package of this release"),
      (Self.missing(["libswiftCore.so"]), 1, "libswiftCore.so, which is Swift's"),
      (
        "echo \"rcnn-train: /lib/libc.so.6: version \\`GLIBC_2.38' not found (required by x)\"", 1,
        "built on a newer system"
      ),
      ("echo 'not a dynamic executable' >&2; exit 1", 65, "ldd can't read"),
      (Self.missing([]), 0, "nothing is missing"),
    ] {
      let stage = try Stage(["ldd": ldd, "apt-cache": Self.apt(names), "rcnn-train": "", "mpirun": "", "pgrep": ""])
      let outcome = try stage.run("requirements")
      #expect(outcome.code == code && outcome.errors.contains(words) && outcome.output.isEmpty, "\(outcome)")
    }
  }

  @Test func aRunThatLacksLibrariesNamesThem() throws {
    let stage = try Stage([
      "ldd": Self.missing(["libgif.so.7"]), "apt-cache": Self.apt(["openmpi-bin", "libgif7"]), "pgrep": "",
      "rcnn-train": "echo 'error while loading shared libraries: libgif.so.7' >&2; exit 127", "mpirun": "exit 127",
    ])
    for (script, arguments) in [("local", ["2"]), ("keep", ["2", "c.yaml"])] {
      let outcome = try stage.run(script, arguments)
      #expect(outcome.code == 127 && outcome.errors.contains("--no-install-recommends libgif7\n"), "\(outcome)")
    }
  }

  /// Folders of the PATH that have no Swift in them; nil where Swift stands among the system's programs.
  private static let pathWithoutSwift: String? = {
    let folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/swift") }
      ? nil : folders.joined(separator: ":")
  }()

  @Test(
    .enabled(if: pathWithoutSwift != nil, "Swift is among the system's programs"),
    arguments: [("6.0.3-2", true), ("5.8.1-3", false), ("", false)])
  func setupTakesTheSwiftOfTheDistribution(_ version: String, _ isTaken: Bool) throws {
    let stage = try Stage([
      "apt-cache": version.isEmpty ? "" : "printf 'swiftlang:\\n  Installed: (none)\\n  Candidate: \(version)\\n'",
      "apt-get": """
      echo "apt-get $*" >> calls
      [ "$1" = install ] || exit 0
      printf '#!/bin/bash\\necho "Swift version 6.0.3 (swift-6.0.3-RELEASE)"\\n' > bin/swift
      chmod 755 bin/swift
      """, "sudo": "exec \"$@\"", "pkg-config": "", "mpirun": "", "git": "",
    ])
    let outcome = try stage.run("setup", ["--packages"], path: Self.pathWithoutSwift)
    if isTaken {
      #expect(outcome.code == 0 && outcome.output.hasSuffix("== all packages are there\n"), "\(outcome)")
      let calls = String(decoding: try stage.folder.read("calls"), as: UTF8.self)
      #expect(calls.hasSuffix("install -y -qq --no-install-recommends g++ swiftlang\n"), "\(calls)")
    } else {
      let found = version.isEmpty ? "have none" : "have only Swift 5.8.1"
      #expect(outcome.code == 1 && outcome.errors.contains(found), "\(outcome)")
      #expect(outcome.errors.contains("curl -O https://download.swift.org/swiftly/linux/swiftly-"), "\(outcome)")
      #expect(outcome.errors.contains("./swiftly init"), "\(outcome)")
    }
  }

  /// The steps of a stage, a command each: `RUN` lines, or those of `%post`.
  private static func steps(_ lines: [String], isDocker: Bool) -> [String] {
    var (steps, isPost) = ([String](), false)
    for line in lines {
      if isDocker, line.hasPrefix("RUN ") { steps.append(String(line.dropFirst(4))) }
      if !isDocker, isPost, line.hasPrefix("    "), !line.contains("export ") {
        steps.append(String(line.dropFirst(4)))
      }
      if line.hasPrefix("%") || line.isEmpty { isPost = line == "%post" }
    }
    return steps.flatMap { $0.components(separatedBy: " && ") }.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  @Test func bothContainersHaveTheScriptsSteps() throws {
    func lines(_ name: String) throws -> [String] {
      let text = try String(contentsOfFile: "\(Self.launch)/\(name)", encoding: .utf8)
      #expect(text.firstMatch(of: /\blib[a-z0-9]+[0-9-]|openmpi|swiftlang/) == nil, "\(name) names a package")
      return text.replacing("\\\n", with: "").components(separatedBy: "\n").filter { !$0.hasPrefix("#") }
    }
    let (docker, apptainer) = (try lines("Dockerfile"), try lines("Apptainer.def"))
    let steps = Self.steps(docker, isDocker: true)
    #expect(steps == Self.steps(apptainer, isDocker: false))
    #expect(
      steps.prefix(3) == ["/src/launch/setup --packages", "/src/launch/install /opt/rcnn-train", "apt-get update"])
    #expect(steps.contains("packages=$(/opt/rcnn-train/bin/rcnn-train-requirements --packages)"))
    // What is copied is there, and is all that Package.swift names.
    let copied = docker.filter { $0.hasPrefix("COPY ") && !$0.contains("--from") }.map { $0.split(separator: " ")[1] }
    #expect(
      copied
        == apptainer.filter { $0.contains(" /src/") && !$0.contains("/src/launch/setup -") && !$0.contains("install") }
        .map { $0.split(separator: " ")[0] })
    for file in copied { #expect(FileManager.default.fileExists(atPath: "\(Self.launch)/../\(file)"), "\(file)") }
  }
}
