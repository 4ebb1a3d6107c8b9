import COCO
import Foundation
import Testing
import Training
import Yams

extension ProgramTests {
  /// What a configuration says is what runs: no key is read and dropped.
  @Suite("Every key") struct EveryKey {
    @Test("of a configuration changes what a short run trains and detects, or is answered in words")
    func noKeyInSilence() throws {
      let walk = try KeyWalk()
      let findings = walk.findings(of: try KeyWalk.keys() + KeyWalk.alternatives)
      let silent = findings.filter { EveryKeyConfiguration.shownElsewhere[$0.key] == nil }
      #expect(silent.isEmpty, "\(silent.map { "\($0.key): \($0.what)" }.joined(separator: "\n"))")
      #expect(Set(EveryKeyConfiguration.shownElsewhere.keys).isSubset(of: Set(try KeyWalk.keys().map(\.path))))
    }
  }
}

/// Changes one key after the other and looks for a difference.
private struct KeyWalk: @unchecked Sendable {
  /// A key, other values for it, and what gives it its effect.
  struct Key {
    let path: String
    let values: [String]
    let context: [String]
  }
  /// A key that changed nothing, was not answered, or made the program fail without a sentence.
  struct Finding {
    let key: String
    let what: String
  }
  private enum Answer: Equatable { case run(String), inWords, failure(String) }

  private let data: TemporaryFolder

  init() throws {
    data = try TemporaryFolder()
    try ShapesDataset.write(to: data.path("data"), trainCount: 4, valCount: 2, seed: 5)
    try Self.addOddities(to: data.path("data/annotations/instances_train.json"))
  }

  /// A crowd in each picture, a box over its edge, and a picture without boxes.
  private static func addOddities(to path: String) throws {
    let content = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
    var file = try #require(content as? [String: Any])
    var images = try #require(file["images"] as? [[String: Any]])
    var annotations = try #require(file["annotations"] as? [[String: Any]])
    let category = try #require(annotations[0]["category_id"])
    func add(_ box: [Double], to image: Any?, isCrowd: Bool) {
      annotations.append([
        "id": 10_000 + annotations.count, "image_id": image ?? 0, "category_id": category, "bbox": box,
        "area": box[2] * box[3], "iscrowd": isCrowd ? 1 : 0,
      ])
    }
    for image in images {
      add([20, 20, 100, 80], to: image["id"], isCrowd: true)
      add([-30, 40, 90, 60], to: image["id"], isCrowd: false)
    }
    var empty = images[0]
    empty["id"] = 9999
    images.append(empty)
    (file["images"], file["annotations"]) = (images, annotations)
    try JSONSerialization.data(withJSONObject: file).write(to: URL(fileURLWithPath: path))
  }

  // MARK: Keys

  /// The keys of the configuration whose values are not mappings.
  static func keys() throws -> [Key] {
    let root = try #require(try Yams.compose(yaml: EveryKeyConfiguration.text))
    return leaves(of: root, path: []).map { path, node in
      let path = path.joined(separator: ".")
      return Key(
        path: path, values: EveryKeyConfiguration.values[path] ?? otherValues(than: node),
        context: EveryKeyConfiguration.contexts[path] ?? [])
    }
  }

  static var alternatives: [Key] {
    EveryKeyConfiguration.alternatives.map { Key(path: $0.key, values: [$0.value], context: $0.with) }
  }

  private static func leaves(of node: Node, path: [String]) -> [([String], Node)] {
    switch node {
    case .mapping(let pairs): pairs.flatMap { leaves(of: $0.value, path: path + [$0.key.string ?? ""]) }
    case .sequence(let elements) where elements.contains { $0.mapping != nil }:
      elements.enumerated().flatMap { leaves(of: $1, path: path + ["\($0)"]) }
    default: [(path, node)]
    }
  }

  private static func otherValues(than node: Node) -> [String] {
    if let elements = node.sequence {
      guard let first = elements.first else { return ["[2]"] }
      let texts = elements.map { $0.scalar?.string ?? "[0]" }
      return otherValues(than: first).map { "[\(([$0] + texts.dropFirst()).joined(separator: ","))]" }
    }
    if let value = node.bool { return ["\(!value)"] }
    if let value = node.int { return ["\(value + 1)", "\(value - 1)", value < 0 ? "0.4" : "\(2 * value)"] }
    if let value = node.float { return ["\(value * 0.5 + 0.1)", "\(value * 1.7 + 0.2)"] }
    return ["zzz"]
  }

  // MARK: Runs

  func findings(of keys: [Key]) -> [Finding] {
    let plain = answer(to: [], key: nil)
    guard case .run = plain else { return [Finding(key: "all", what: "\(plain)")] }
    let results = Collected()
    DispatchQueue.concurrentPerform(iterations: keys.count) { index in
      let key = keys[index]
      let before = key.context.isEmpty ? plain : answer(to: key.context, key: nil)
      let answers = key.values.lazy.map { answer(to: key.context + ["\(key.path)=\($0)"], key: key.path) }
      var seen: [Answer] = []
      for answer in answers {
        if case .run = answer, answer != before { return }
        seen.append(answer)
        if case .failure = answer { break }
      }
      if seen.allSatisfy({ $0 == .inWords }), case .run = before { return }
      let what = seen.contains(before) ? "\(key.values) change nothing" : "\(before) \(seen)"
      results.add(Finding(key: key.path, what: what))
    }
    return results.findings
  }

  /// What a run with these options trains and detects; or whether a notice names the key, or an error refuses it.
  private func answer(to options: [String], key: String?) -> Answer {
    do {
      let read = try ReadConfiguration(text: EveryKeyConfiguration.text, name: "every.yaml", options: options)
      if let key, read.notices.contains(where: { $0.contains("'\(key)'") }) { return .inWords }
    } catch { return error is ConfigurationError ? .inWords : .failure("\(error)") }
    do { return try run(options) } catch { return .failure("\(error)") }
  }

  private func run(_ options: [String]) throws -> Answer {
    let folder = try TemporaryFolder()
    let program = Program(folder: folder)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("data"), withDestinationPath: data.path("data"))
    try folder.write(EveryKeyConfiguration.text, to: "every.yaml")
    let arguments = options.isEmpty ? [] : ["--cfg-options"] + options
    let training = try program.run(["train", "every.yaml", "--single-rank"] + arguments)
    guard training.code == 0 else {
      let isSaid = training.errors.contains("error: ") && !training.errors.contains("Backtrac")
      return isSaid ? .inWords : .failure("\(training)")
    }
    let workDir = try #require(try folder.names(in: ".").first { folder.exists("\($0)/latest.h5") })
    let checkpoint = "\(workDir)/latest.h5"
    let testing = try program.run(
      ["test", "every.yaml", checkpoint, "--single-rank", "--out", "found.json"] + arguments)
    guard testing.code == 0 else { return .failure("\(testing)") }
    let trained = try Checkpoint(image: folder.read(checkpoint), name: checkpoint)
    let arrays = (trained.model + trained.momenta).map { "\($0.name) \($0.values.hashValue)" }
    let files = try folder.names(in: workDir).filter { $0.hasSuffix(".h5") }
    return .run(
      ([
        Self.withoutTimes(training.output), testing.output,
        String(decoding: try folder.read("found.json"), as: UTF8.self),
      ]
        + files + arrays).joined(separator: "\n"))
  }

  /// A log without what differs from run to run, and without the notices.
  private static func withoutTimes(_ log: String) -> String {
    log.split(separator: "\n").filter { !$0.contains("notice: ") }.map { line in
      line.replacing(#/^\S+ \S+ - /#, with: "").replacing(#/(time|data_time|memory|eta): [^,]*/#, with: "")
    }.joined(separator: "\n")
  }

  private final class Collected: @unchecked Sendable {
    private let lock = NSLock()
    private var all: [Finding] = []

    func add(_ finding: Finding) { lock.withLock { all.append(finding) } }
    var findings: [Finding] { lock.withLock { all } }
  }
}
