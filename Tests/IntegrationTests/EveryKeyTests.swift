import COCO
import Foundation
import Testing
import Training
import Yams

extension ProgramTests {
  /// What a configuration says is what runs: no key is read and dropped.
  @Suite("Every key", .long) struct EveryKey {
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
  private enum Answer { case run(Run), inWords, failure(String) }

  private let data: TemporaryFolder

  init() throws {
    data = try TemporaryFolder()
    try ShapesDataset.write(to: data.path("data"), trainCount: 4, valCount: 2, seed: 5)
    try Self.addOddities(to: data.path("data/annotations/instances_train.json"))
    try Self.addGrid(to: data.path("data/annotations/instances_val.json"))
  }

  /// So many objects that an untrained detector finds some.
  private static func addGrid(to path: String) throws {
    let content = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
    var file = try #require(content as? [String: Any])
    let images = try #require(file["images"] as? [[String: Any]])
    var annotations = try #require(file["annotations"] as? [[String: Any]])
    let categories = try #require(file["categories"] as? [[String: Any]]).compactMap { $0["id"] }
    for image in images {
      for place in 0..<120 {
        let side = Double(20 + 15 * (place % 4))
        annotations.append([
          "id": 10_000 + annotations.count, "image_id": image["id"] ?? 0, "iscrowd": 0, "area": side * side,
          "category_id": categories[place % categories.count],
          "bbox": [Double(place % 12 * 14), Double(place / 12 * 14), side, side],
        ])
      }
    }
    file["annotations"] = annotations
    try JSONSerialization.data(withJSONObject: file).write(to: URL(fileURLWithPath: path))
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
        path: path,
        values: EveryKeyConfiguration.values[path] ?? otherValues(than: node).filter { $0 != text(of: node) },
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

  private static func text(of node: Node) -> String {
    node.sequence.map { "[\($0.map(text).joined(separator: ","))]" } ?? node.scalar?.string ?? ""
  }

  private static func otherValues(than node: Node) -> [String] {
    if let elements = node.sequence {
      guard let first = elements.first else { return ["[2]"] }
      return otherValues(than: first).map { "[\(([$0] + elements.dropFirst().map(text)).joined(separator: ","))]" }
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
      guard case .run(let reference) = before else { return results.add(Finding(key: key.path, what: "\(before)")) }
      var what: [String] = []
      for value in key.values {
        switch answer(to: key.context + ["\(key.path)=\(value)"], key: key.path) {
        case .inWords: break
        case .failure(let text): what.append("\(value) fails: \(text)")
        case .run(let run):
          if run.differs(from: reference) { return }
          what.append("\(value) changes nothing")
        }
      }
      if !what.isEmpty { results.add(Finding(key: key.path, what: what.joined(separator: "; "))) }
    }
    return results.findings
  }

  /// What a run with these options trains; or whether a notice names the key, or an error refuses it.
  private func answer(to options: [String], key: String?) -> Answer {
    do {
      let read = try ReadConfiguration(text: EveryKeyConfiguration.text, name: "every.yaml", options: options)
      let parts = key?.split(separator: ".") ?? []
      let owners = parts.indices.map { "'\(parts[...$0].joined(separator: "."))'" }
      if read.notices.contains(where: { notice in owners.contains(where: notice.contains) }) { return .inWords }
      return try Run(options, data: data).map(Answer.run) ?? .inWords
    } catch { return error is ConfigurationError ? .inWords : .failure("\(error)") }
  }

  /// A training, and its detections where they are asked for.
  private final class Run: @unchecked Sendable {
    private let program: Program
    private let testing: [String]
    private let training: String

    /// nil where the program refuses with a sentence.
    init?(_ options: [String], data: TemporaryFolder) throws {
      let folder = try TemporaryFolder()
      program = Program(folder: folder)
      try FileManager.default.createSymbolicLink(
        atPath: folder.path("data"), withDestinationPath: data.path("data"))
      try folder.write(EveryKeyConfiguration.text, to: "every.yaml")
      let arguments = ["--single-rank"] + (options.isEmpty ? [] : ["--cfg-options"] + options)
      let outcome = try program.run(["train", "every.yaml"] + arguments)
      guard outcome.code == 0 else {
        try #require(outcome.errors.contains("error: ") && !outcome.errors.contains("Backtrac"), "\(outcome)")
        return nil
      }
      let workDir = try #require(try folder.names(in: ".").first { folder.exists("\($0)/latest.h5") })
      testing = ["test", "every.yaml", "\(workDir)/latest.h5", "--out", "found.json"] + arguments
      let trained = try Checkpoint(image: folder.read("\(workDir)/latest.h5"), name: "latest.h5")
      let arrays = (trained.model + trained.momenta).map { "\($0.name) \($0.values.hashValue)" }
      let files = try folder.names(in: workDir).filter { $0.hasSuffix(".h5") }
      training = ([KeyWalk.withoutTimes(outcome.output)] + files + arrays).joined(separator: "\n")
    }

    /// A refusal of the test is a difference, too.
    func differs(from other: Run) -> Bool { training != other.training || found != other.found }

    private var found: String {
      guard let outcome = try? program.run(testing) else { return "no run" }
      let file = (try? program.folder.read("found.json")) ?? []
      return "\(outcome.code)" + outcome.output + outcome.errors + String(decoding: file, as: UTF8.self)
    }
  }

  /// A log without what differs from run to run, and without the notices.
  static func withoutTimes(_ log: String) -> String {
    let slow = #/( … \d+ s so far|: done in \d+ s|The first step took .*)$/#
    return log.split(separator: "\n").filter { !$0.contains("notice: ") && !$0.contains(slow) }.map { line in
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
