import Foundation
import Primitives

/// `rcnn-train weights`.
public enum WeightsRun {
  /// Prints which files of weights a configuration needs and whether they are there and whole, and ends the process with the
  /// exit code of `sysexits.h`: 66 where one is missing, 65 where one is damaged.
  ///
  /// - Parameters:
  ///   - config: the configuration.
  ///   - printsAddresses: prints where the missing ones can be fetched from, an address a line, and nothing else.
  public static func start(_ config: ConfigSource, printsAddresses: Bool) -> Never {
    Boundary.run(singleRank: true) { _ in
      let read = try config.read()
      let needed = NeededWeights.all(of: read.run)
      if printsAddresses {
        for address in needed.compactMap(\.missingAddress) { print(address) }
        return needed.compactMap(\.failure).first?.exitCode.rawValue ?? 0
      }
      for notice in read.shippedNotices { print(notice) }
      if needed.isEmpty {
        print(
          "no weights: neither load_from, nor model.pretrained, nor resume_from names any; training starts at random")
      } else {
        for weights in needed { for line in weights.lines { print(line) } }
      }
      return needed.compactMap(\.failure).first?.exitCode.rawValue ?? 0
    }
  }
}

/// A file of weights that a configuration names, and what there is of it.
struct NeededWeights {
  enum State {
    /// `size` in bytes; `isNamedByDigest`: its name has digits of the digest, and they are right.
    case whole(path: String, size: Int, arrays: Int, isNamedByDigest: Bool)
    case missing(CheckpointError)
    case damaged(path: String, CheckpointError)
    case unknown(CheckpointError)
  }

  let key: String
  let source: String
  /// nil: what is named is a path.
  let search: WeightsLibrary.Search?
  let state: State
  /// The key that makes this one needless; nil: it is read.
  let yieldsTo: String?

  /// In the order in which a training would choose.
  static func all(
    of run: RunConfiguration, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [NeededWeights] {
    let library = WeightsLibrary(weightsDir: run.mpi.weightsDir, environment: environment)
    let resumed = run.resumeFrom == "auto" ? nil : run.resumeFrom
    let named = [("resume_from", resumed), ("load_from", run.loadFrom), ("model.pretrained", run.pretrained)]
      .compactMap { key, source in source.map { (key: key, source: $0) } }
    return named.map { NeededWeights(key: $0.key, source: $0.source, library, yieldsTo: named[0].key) }
  }

  private init(key: String, source: String, _ library: WeightsLibrary, yieldsTo first: String) {
    (self.key, self.source, yieldsTo) = (key, source, first == key ? nil : first)
    guard WeightsLibrary.isAddress(source) else {
      (search, state) = (nil, Self.state(of: source, digest: nil))
      return
    }
    do throws(CheckpointError) {
      let search = try library.search(source, key: key)
      self.search = search
      state = search.found.map { Self.state(of: $0.path, digest: $0.file.digest) } ?? .missing(search.missing(key: key))
    } catch {
      (search, state) = (nil, .unknown(error))
    }
  }

  /// Reads all of it.
  private static func state(of path: String, digest: String?) -> State {
    do throws(CheckpointError) {
      try WeightsLibrary.check(path, digest: digest)
      let weights = try Checkpoint.weights(reading: path).checkpoint
      let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
      return .whole(path: path, size: size, arrays: weights.model.count, isNamedByDigest: digest != nil)
    } catch {
      return error.exitCode == .inputMissing ? .missing(error) : .damaged(path: path, error)
    }
  }

  /// What a training that needs it would end with.
  var failure: CheckpointError? {
    guard yieldsTo == nil else { return nil }
    switch state {
    case .whole: return nil
    case .missing(let error), .damaged(_, let error), .unknown(let error): return error
    }
  }

  /// Where it can be fetched from, if it is to be fetched.
  var missingAddress: String? {
    failure == nil ? nil : search?.files.first?.address
  }

  var lines: [String] {
    var lines = ["\(key): \(source)"]
    if let yieldsTo { lines.append("  not read: \(yieldsTo) brings all weights") }
    if let search {
      lines.append("  looked for: \(search.files.map(\.name).joined(separator: ", or "))")
      lines.append("  in: \(search.folders.joined(separator: ", then "))")
    }
    switch state {
    case .whole(let path, let size, let arrays, let isNamedByDigest):
      let megabytes = String(format: "%.1f", Double(size) / 1e6)
      let digest = isNamedByDigest ? "as the digits in its name say" : "its name has no digits of a digest to compare"
      lines.append("  whole: \(path), \(megabytes) MB, \(arrays) arrays; \(digest)")
    case .missing(let error): lines.append("  missing: \(error)")
    case .damaged(_, let error): lines.append("  damaged: \(error)")
    case .unknown(let error): lines.append("  unknown: \(error)")
    }
    return lines
  }
}
