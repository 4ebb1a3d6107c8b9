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
  /// - Parameter key: where the address stands, for errors: `model.pretrained`, `load_from`.
  /// - Throws: `CheckpointError` (66) which file to fetch from where and where to put it; (65) a file that isn't what
  ///   the digest in its name says.
  public func locate(_ source: String, key: String) throws(CheckpointError) -> String {
    guard Self.isAddress(source) else { return source }
    let files = try Self.files(source, key: key)
    for file in files {
      for folder in folders {
        let path = "\(folder)/\(file.name)"
        guard FileManager.default.fileExists(atPath: path) else { continue }
        try Self.check(path, digest: file.digest)
        return path
      }
    }
    let folder = folders[0]
    throw CheckpointError(
      description: """
        \(key): error: '\(source)' is not on this machine, and nothing is downloaded; fetch \(files[0].address) and put it \
        into \(folder)\(folders.count == 2 ? ", or into a folder that mpi.weights_dir names" : ""), or name a file of your own
        """, exitCode: .inputMissing)
  }

  // Addresses.

  private struct RemoteFile {
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
    let known: [String: [String]]
    switch scheme {
    case "http", "https": return [RemoteFile(address: source)]
    case "torchvision", "modelzoo": known = torchvision
    case "open-mmlab", "openmmlab": known = openMMLab
    default:
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

  private static func check(_ path: String, digest: String?) throws(CheckpointError) {
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

  /// torchvision's files, of which each has been saved twice with the same weights.
  private static let torchvision: [String: [String]] = [
    "resnet18": ["f37072fd", "5c106cde"], "resnet34": ["b627a593", "333f7ec4"], "resnet50": ["0676ba61", "19c8e357"],
    "resnet101": ["63fe2227", "5d3b4d8f"], "resnet152": ["394f9c45", "b121ed2d"],
  ].reduce(into: [:]) { table, entry in
    table[entry.key] = entry.value.map { "https://download.pytorch.org/models/\(entry.key)-\($0).pth" }
  }

  /// Those of mmcv 1.3's list that a ResNet takes, with its older names for them.
  private static let openMMLab: [String: [String]] = [
    "detectron/resnet50_caffe": "resnet50_caffe-788b5fa3", "resnet50_caffe": "resnet50_caffe-788b5fa3",
    "detectron2/resnet50_caffe": "resnet50_msra-5891d200", "resnet50_caffe_bgr": "resnet50_msra-5891d200",
    "detectron/resnet101_caffe": "resnet101_caffe-3ad79236", "resnet101_caffe": "resnet101_caffe-3ad79236",
    "detectron2/resnet101_caffe": "resnet101_msra-6cc46731", "resnet101_caffe_bgr": "resnet101_msra-6cc46731",
    "contrib/resnet50_gn": "resnet50_gn_thangvubk-ad1730dd", "detectron/resnet50_gn": "resnet50_gn-9186a21c",
    "resnet50_gn": "resnet50_gn-9186a21c", "detectron/resnet101_gn": "resnet101_gn-cac0ab98",
    "resnet101_gn": "resnet101_gn-cac0ab98",
  ].mapValues { ["https://download.openmmlab.com/pretrain/third_party/\($0).pth"] }
}
