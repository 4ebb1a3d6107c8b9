import COCO
import Foundation
import Primitives

/// Where the drawn pictures go: below the output folder, under the names of the pictures and of the folders in which
/// their paths differ. So no two are the same.
package struct OutputPlaces {
  /// Relative to the output folder, one an input.
  package let names: [String]
  private let inputs: [String]
  private let outDir: String

  package init(of inputs: [String], in outDir: String) {
    (self.inputs, self.outDir) = (inputs, outDir)
    let paths = inputs.map(Self.parts)
    var common = (paths.first ?? []).dropLast()
    for path in paths {
      let count = zip(common, path.dropLast()).prefix { $0.utf8.elementsEqual($1.utf8) }.count
      common = common.prefix(count)
    }
    var taken: Set<String> = []
    names = paths.map { parts in
      let name = parts.dropFirst(common.count).joined(separator: "/")
      return Self.free(ImageEncoder.canWrite(name) ? name : "\(name).png", &taken)
    }
  }

  /// Some file systems don't tell cases and Unicode forms apart.
  private static func free(_ name: String, _ taken: inout Set<String>) -> String {
    var (candidate, number) = (name, 1)
    while !taken.insert(candidate.lowercased()).inserted {
      number += 1
      let stem = (name as NSString).deletingPathExtension
      candidate = "\(stem)-\(number).\((name as NSString).pathExtension)"
    }
    return candidate
  }

  /// The parts of an absolute path, without `.` and `..`.
  private static func parts(_ path: String) -> [Substring] {
    let absolute = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    var parts: [Substring] = []
    for part in absolute.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return parts
  }

  /// - Parameter others: files that were named beside the pictures.
  /// - Throws: `RunError` where a file that is read would be replaced, also through links.
  package func requireDistinct(from others: [String]) throws {
    let read = Dictionary((inputs + others).compactMap { path in FileIdentity(path).map { ($0, path) } }) { first, _ in
      first
    }
    var replaced: [(output: String, input: String)] = []
    for name in names + [PredictionsFile.name] {
      let output = Folder.join(outDir, name)
      if let input = FileIdentity(output).flatMap({ read[$0] }) { replaced.append((output, input)) }
    }
    guard let first = replaced.first else { return }
    let more = replaced.count > 1 ? ", and so would \(replaced.count - 1) more" : ""
    let through = first.output == first.input ? "" : " (the input \(first.input))"
    throw RunError(
      "\(first.output): error: this input would be replaced by what is written\(through)\(more); choose another --out-dir",
      exitCode: .usage)
  }
}
