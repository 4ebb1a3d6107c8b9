import COCO
import Foundation
import Primitives

/// What `check` has found out, as far as it came.
struct CheckReport {
  let source: ConfigSource
  let printsConfiguration: Bool
  var read: ReadConfiguration?
  var datasets: [CheckedDataset] = []
  /// What was looked at of the pictures; nil before.
  var pictures: PictureCheck?
  var changes: CheckpointChanges?

  init(_ options: CheckOptions) {
    (source, printsConfiguration) = (options.config, options.printsConfiguration)
  }

  /// Where the configuration is asked for it comes first, and the rest is a comment behind it.
  var text: String {
    var lines = (read?.notices ?? []) + [""]
    for (index, dataset) in datasets.enumerated() {
      if let same = datasets[..<index].first(where: dataset.isSame) {
        lines.append("data.\(dataset.name): as data.\(same.name)")
        lines += dataset.findingLines(besides: same.part.findings).map { "  \($0)" }
      } else {
        lines.append(dataset.heading)
        lines += dataset.lines.map { "  \($0)" }
      }
    }
    if let changes { lines += changes.lines.enumerated().map { $0 == 0 ? $1 : "  \($1)" } }
    if let pictures { lines.append(words(pictures)) }
    if lines[0].isEmpty { lines.removeFirst() }
    let facts = lines.map { printsConfiguration ? "# \($0)\n" : "\($0)\n" }.joined()
    return (printsConfiguration ? read?.resolved ?? "" : "") + facts
  }

  private func words(_ check: PictureCheck) -> String {
    switch check {
    case .names: "pictures: all are there"
    case .headers: "pictures: all are there, of the sizes that the annotation files say"
    case .none: "pictures: not looked at (mpi.check_pictures: none)"
    }
  }

  /// - Parameter error: what ended the check.
  func json(error: (any Error)?) -> JSON {
    let code = error.map { ($0 as? any ReportedError)?.exitCode ?? .software }
    return .object([
      ("configuration", source.path.map(JSON.text) ?? .null),
      ("exit_code", .integer(Int(code?.rawValue ?? 0))), ("error", error.map { .text("\($0)") } ?? .null),
      ("notices", .array((read?.notices ?? []).map(JSON.text))),
      ("pictures", pictures.map { .text($0.rawValue) } ?? .null),
      ("datasets", .array(datasets.map(\.json))), ("checkpoint", changes?.json ?? .null),
      ("resolved", printsConfiguration ? read.map { .text($0.resolved) } ?? .null : .null),
    ])
  }
}
