import Foundation

/// Finds the files of weights that configurations name by an address, such as `torchvision://resnet50`. Nothing is
/// downloaded: they are looked for in a folder of the user's and where PyTorch and mmcv keep their downloads.
public struct WeightsLibrary {
  /// In the order of the search.
  private let folders: [String]

  /// - Parameters:
  ///   - weightsDir: `mpi.weights_dir`.
  ///   - environment: of which `TORCH_HOME` counts; without it PyTorch keeps its files in `~/.cache/torch`.
  public init(weightsDir: String?, environment: [String: String] = ProcessInfo.processInfo.environment) {
    let home = environment["TORCH_HOME"] ?? "\(environment["HOME"] ?? NSHomeDirectory())/.cache/torch"
    // PyTorch before 1.6 had no "hub" there.
    folders = (weightsDir.map { [$0] } ?? []) + ["\(home)/hub/checkpoints", "\(home)/checkpoints"]
  }

  public static func isAddress(_ source: String) -> Bool { source.contains("://") }

  /// The path of the file that an address stands for; a source that is a path already stays one.
  ///
  /// - Parameters:
  ///   - source: an address, or a path.
  ///   - key: where the address stands, for errors: `model.pretrained`, `load_from`.
  /// - Throws: `CheckpointError` (66) which file to fetch from where and where to put it; (65) a file that isn't what
  ///   the digest in its name says.
  public func locate(_ source: String, key: String) throws(CheckpointError) -> String {
    guard Self.isAddress(source) else { return source }
    let search = try search(source, key: key)
    guard let (path, file) = search.found else { throw search.missing(key: key) }
    try Self.check(path, digest: file.digest)
    return path
  }

  /// What an address stands for, and where it was looked for.
  struct Search {
    let source: String
    /// Any of them would do; the one to fetch comes first.
    let files: [RemoteFile]
    let folders: [String]
    /// nil: none of the folders has one.
    let found: (path: String, file: RemoteFile)?

    /// What the user is told who needs it.
    func missing(key: String) -> CheckpointError {
      CheckpointError(
        description: """
          \(key): error: '\(source)' is not on this machine, and nothing is downloaded; fetch \(files[0].address) and put it \
          into \(folders[0])\(folders.count == 2 ? ", or into a folder that mpi.weights_dir names" : ""), or name a file of \
          your own
          """, exitCode: .inputMissing)
    }
  }

  /// Looks for what an address stands for, by the names of files alone.
  /// - Throws: `CheckpointError` (66) for an address that is not known.
  func search(_ source: String, key: String) throws(CheckpointError) -> Search {
    let files = try Self.files(source, key: key)
    let places = files.flatMap { file in folders.map { (path: "\($0)/\(file.name)", file: file) } }
    return Search(
      source: source, files: files, folders: folders,
      found: places.first { FileManager.default.fileExists(atPath: $0.path) })
  }

  // Addresses.

  struct RemoteFile {
    let address: String
    var name: String { String(address.prefix { $0 != "?" }.split(separator: "/").last ?? "") }
    /// The first digits of its SHA-256, which stand at the end of its name.
    var digest: String? {
      let stem = (name as NSString).deletingPathExtension
      guard let digits = stem.split(separator: "-").last, digits.count < stem.count, digits.count >= 8,
        digits.allSatisfy({ $0.isHexDigit && !$0.isUppercase })
      else { return nil }
      return String(digits)
    }
  }

  /// The files that would do, the one to fetch first.
  private static func files(_ source: String, key: String) throws(CheckpointError) -> [RemoteFile] {
    let parts = source.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let (scheme, name) = (parts[0], parts[1])
    if ["http", "https"].contains(scheme) { return [RemoteFile(address: source)] }
    guard let known = KnownWeights.files(scheme: scheme) else {
      throw CheckpointError(
        description: """
          \(key): error: '\(source)' is an address, and nothing is downloaded; fetch the file that it stands for and name \
          that (known here: torchvision://, open-mmlab://, and https:// where PyTorch has downloaded it)
          """, exitCode: .inputMissing)
    }
    guard let addresses = known[name] else {
      throw CheckpointError(
        description: """
          \(key): error: '\(source)' is not known here; known are \(known.keys.sorted().joined(separator: ", ")); fetch the \
          file that it stands for and name that
          """, exitCode: .inputMissing)
    }
    return addresses.map(RemoteFile.init)
  }

  /// - Throws: `CheckpointError` (65) where the file is another than its name says.
  static func check(_ path: String, digest: String?) throws(CheckpointError) {
    guard let digest else { return }
    let found = SHA256.digest(try CheckpointFile.read(path)).prefix(digest.count)
    guard found == digest else {
      throw CheckpointError(
        description: """
          \(path): error: the file is damaged or was not fetched to its end: its SHA-256 begins with \(found), and not with \
          \(digest) as its name says; fetch it again
          """, exitCode: .badData)
    }
  }
}
