import Foundation
import HDF5
import Tensors

/// What an HDF5 file holds: a checkpoint of this program, or arrays that somebody put into a file by hand.
enum HDF5Contents {
  case checkpoint(Checkpoint)
  case arrays(WeightArrays)
}

/// What `/model` or, in a file made by hand, the whole file holds: arrays as they are stored.
struct HDF5Arrays {
  private(set) var tensors: [StoredTensor] = []
  /// Data sets that hold no numbers.
  private(set) var passedOver: [String] = []

  /// Groups in each other; more are a circle.
  private static let maximumDepth = 64

  /// All data sets below a group, in alphabetical order of their paths' parts, which are joined by points.
  init(below group: String, of file: HDF5File) throws {
    try read(group, of: file, prefix: "", depth: 0)
  }

  private mutating func read(_ group: String, of file: HDF5File, prefix: String, depth: Int) throws {
    guard depth < Self.maximumDepth else { throw HDF5Error(function: "H5Gopen2", subject: "groups without end") }
    for member in try file.members(of: group) {
      let (path, name) = ("\(group == "/" ? "" : group)/\(member)", prefix + member)
      if try file.isGroup(path) {
        try read(path, of: file, prefix: "\(name).", depth: depth + 1)
        continue
      }
      let shape = try file.shape(of: path)
      switch try file.numberType(of: path) {
      case .integer where name.hasSuffix(WeightArrays.countName) && shape.allSatisfy { $0 == 1 }:
        tensors.append(StoredTensor(name: name, shape: [], values: .integer(try file.integers(path)[0])))
      case .float64: tensors.append(StoredTensor(name: name, shape: shape, values: .doubles(try file.doubles(path))))
      case .integer, .float:
        tensors.append(StoredTensor(name: name, shape: shape, values: .floats(try file.floats(path))))
      case .none: passedOver.append(name)
      }
    }
  }
}

extension HDF5Arrays {
  /// As a checkpoint has them.
  var floats: [Checkpoint.Array] {
    tensors.compactMap { tensor in
      switch tensor.values {
      case .floats(let values): Checkpoint.Array(name: tensor.name, shape: tensor.shape, values: values)
      case .doubles(let values):
        Checkpoint.Array(name: tensor.name, shape: tensor.shape, values: values.map { Float($0) })
      case .integer: nil
      }
    }
  }

  /// `num_batches_tracked`.
  var counts: [String: Int] {
    var counts: [String: Int] = [:]
    for tensor in tensors { if case .integer(let count) = tensor.values { counts[tensor.name] = Int(count) } }
    return counts
  }
}

extension HDF5Contents {
  /// What a child process sends of a file: a safetensors file, whose metadata hold the rest.
  struct Message {
    let tensors: [StoredTensor]
    var metadata: [String: String] = [:]
    private static let modelPrefix = "model:"
    private static func prefix(_ state: ParameterState) -> String { "\(state.rawValue):" }

    func image() throws -> [UInt8] { try SafetensorsWriter.image(tensors, metadata: metadata) }

    /// Reads an HDF5 file that may be damaged in any way: the library may crash or read for ever.
    init(reading image: [UInt8], name: String, maximumBytes: Int) throws {
      let file = try HDF5File(image: image, name: name, maximumBytes: maximumBytes)
      // Without any format it may be made by hand.
      guard try file.attributeNames(of: "/").contains("format") else {
        let arrays = try HDF5Arrays(below: file.contains("model") && file.isGroup("/model") ? "/model" : "/", of: file)
        guard !arrays.tensors.isEmpty else { throw Checkpoint.OtherFile() }
        tensors = arrays.tensors
        metadata["passed over"] = arrays.passedOver.joined(separator: "\n")
        metadata["classes"] = (try? file.strings(attribute: "classes", of: "/"))?.joined(separator: "\n")
        return
      }
      let checkpoint = try Checkpoint(file)
      tensors =
        Self.tensors(checkpoint.model, Self.modelPrefix)
        + checkpoint.states.flatMap { Self.tensors($0.value, Self.prefix($0.key)) }
        + checkpoint.batchCounts.map {
          StoredTensor(name: Self.modelPrefix + $0.key, shape: [], values: .integer(Int64($0.value)))
        }
      var rest = checkpoint
      (rest.model, rest.states, rest.batchCounts) = ([], [:], [:])
      metadata["checkpoint"] = String(decoding: try JSONEncoder().encode(rest), as: UTF8.self)
    }

    private static func tensors(_ arrays: [Checkpoint.Array], _ prefix: String) -> [StoredTensor] {
      arrays.map { StoredTensor(name: prefix + $0.name, shape: $0.shape, values: .floats($0.values)) }
    }

    /// What the parent makes of it.
    static func contents(_ image: [UInt8]) throws -> HDF5Contents {
      let file = try SafetensorsFile(image)
      guard let text = file.metadata["checkpoint"] else {
        var weights = file.weights
        func lines(_ key: String) -> [String] { file.metadata[key]?.split(separator: "\n").map(String.init) ?? [] }
        (weights.passedOver, weights.classes) = (lines("passed over"), lines("classes"))
        return .arrays(weights)
      }
      func arrays(_ prefix: String) -> [Checkpoint.Array] {
        file.weights.arrays.filter { $0.name.hasPrefix(prefix) }.map {
          ModelNames.array($0, named: String($0.name.dropFirst(prefix.count)))
        }
      }
      var checkpoint = try JSONDecoder().decode(Checkpoint.self, from: Data(text.utf8))
      checkpoint.model = arrays(modelPrefix)
      for state in ParameterState.allCases {
        let found = arrays(prefix(state))
        if !found.isEmpty { checkpoint.states[state] = found }
      }
      for (name, count) in file.weights.batchCounts {
        checkpoint.batchCounts[String(name.dropFirst(modelPrefix.count))] = count
      }
      return .checkpoint(checkpoint)
    }
  }
}

extension HDF5Contents {
  /// Reads a file: one with our checksum in this process, any other in a child. `name` stands in errors.
  init(_ image: [UInt8], name: String) throws(CheckpointError) {
    guard image.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]) else {
      throw CheckpointError(
        description: "\(name): error: this is not an HDF5 file, so not a checkpoint of rcnn-train; "
          + "'rcnn-train convert' makes one of a .pth or .safetensors file",
        exitCode: .badData)
    }
    switch Checksum.isRight(image) {
    case nil: self = try HDF5Child.contents(of: image, name: name)
    case true?:
      do {
        self = .checkpoint(try Checkpoint(HDF5File(image: image, name: name)))
      } catch {
        throw CheckpointError(reading: name, of: image.count, error)
      }
    case false?:
      throw CheckpointError(
        description: "\(name): error: the checkpoint is damaged: its checksum is wrong, so bytes in it have changed "
          + "since it was written; use an older one",
        exitCode: .badData)
    }
  }
}
