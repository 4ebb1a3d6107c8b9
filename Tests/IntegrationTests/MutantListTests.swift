import Foundation
import Testing

/// The wrong changes that `launch/mutants` makes, to see whether the tests notice. It takes an hour and is run by hand;
/// here only its list is looked at.
@Suite struct MutantListTests {
  private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  @Test func everyChangeFitsTheSources() throws {
    let folder = try TemporaryFolder()
    let program = try RunningProgram(["bash", "\(root)/launch/mutants", "--check"], in: folder, environment: [:])
    let check = try withExtendedLifetime(folder) { try program.wait() }
    #expect(check.code == 0 && check.output.hasSuffix(" changes, all fit\n"), "\(check)")
  }

  @Test func everyTargetHasSome() throws {
    let lines = try String(contentsOfFile: "\(root)/launch/mutants.list", encoding: .utf8).split(separator: "\n")
    let targets = lines.compactMap { $0.firstMatch(of: /^file: Sources\/(\w+)\//).map { String($0.1) } }
    let sources = try FileManager.default.contentsOfDirectory(atPath: "\(root)/Sources")
    // Programs and C modules have no rules of their own.
    let others = [
      "CGIF", "CHDF5", "CKernelFeatures", "CMPI", "CMachine", "COpenBLAS", "CPNG", "CTIFF", "CTurboJPEG", "CWebP",
      "README.md", "manual-page",
    ]
    let wanted = Set(sources.filter { !$0.hasPrefix("rcnn-") }).subtracting(others)
    #expect(wanted.isSubset(of: targets), "\(wanted.subtracting(targets)) have none")
    #expect(targets.count >= 40)
  }
}
