/// The checkpoints that a run has written, oldest first, with those before it in its work directory, and which of them go
/// (`checkpoint_config.max_keep_ckpts`). The best one has a file of its own, which is never among them.
package struct KeptCheckpoints {
  package struct File: Equatable {
    package let name: String
    package let iteration: Int

    package init(name: String, iteration: Int) { (self.name, self.iteration) = (name, iteration) }
  }
  package private(set) var files: [File]

  init(_ places: [CheckpointPlace]) { self.init(places.map { File(name: $0.name, iteration: $0.iteration) }) }

  package init(_ files: [File]) { self.files = files }

  /// The newest one.
  package mutating func add(_ file: File) { files = files.filter { $0.name != file.name } + [file] }

  /// Those to remove, so that `limit` are left: the oldest, but never the newest, nor the only one whose iteration is in
  /// `validated`, so that one or two more may stay.
  package mutating func removeSurplus(limit: Int, validated: Set<Int>) -> [String] {
    var removed: [String] = []
    while files.count > limit {
      let measured = files.filter { validated.contains($0.iteration) }
      let index = files.dropLast().firstIndex { measured.count > 1 || measured.first != $0 }
      guard let index else { break }
      removed.append(files.remove(at: index).name)
    }
    return removed
  }
}
