import Detection
import Layers
import MPI
import Tensors

/// A detector with its parameters and what it computes on.
public final class DetectorModel {
  public let engine: Engine
  public let store: ParameterStore
  public let detector: any Detector

  /// Builds and initialises the detector. `synchronizer` adds over all ranks for SyncBN.
  public init(
    _ configuration: TwoStageConfiguration, seed: UInt64, threads: Int,
    synchronizer: (any StatisticsSynchronizer)? = nil
  ) {
    engine = Engine(threads: threads)
    store = ParameterStore()
    detector = TwoStageDetector(configuration, in: LayerScope(store: store, synchronizer: synchronizer))
    store.allocate(seed: seed)
  }

  /// All parameters and statistics in PyTorch's layouts, in mmdetection's names.
  public func exportedModel() -> [Checkpoint.Array] {
    store.parameters.map { Checkpoint.Array(name: $0.name, shape: $0.shape, values: $0.exported($0.values)) }
  }

  /// The momenta of the trainable parameters, in the same names and layouts.
  public func exportedMomenta() -> [Checkpoint.Array] {
    store.trainable.map { Checkpoint.Array(name: $0.name, shape: $0.shape, values: $0.exported($0.momentum)) }
  }

  /// Takes over weights. Each parameter must be there in its shape; what the model doesn't know is returned.
  @discardableResult
  public func importModel(_ tensors: [Checkpoint.Array], from file: String) throws -> [String] {
    try importTensors(tensors, for: store.parameters, file: file) { $0.importValues($1, into: $0.values) }
  }

  /// Takes over momenta. Each trainable parameter must be there in its shape.
  public func importMomenta(_ tensors: [Checkpoint.Array], from file: String) throws {
    try importTensors(tensors, for: store.trainable, file: file) { $0.importValues($1, into: $0.momentum) }
  }

  /// Takes over the backbone alone (`model.pretrained`), whether the file's names begin with `backbone.` or not.
  func importBackbone(_ tensors: [Checkpoint.Array], from file: String) throws {
    let named = tensors.map { tensor in
      var tensor = tensor
      if !tensor.name.hasPrefix("backbone.") { tensor.name = "backbone.\(tensor.name)" }
      return tensor
    }
    let backbone = store.parameters.filter { $0.name.hasPrefix("backbone.") }
    _ = try importTensors(named, for: backbone, file: file) { $0.importValues($1, into: $0.values) }
  }

  /// Rank 0's running statistics on all ranks: those of plain batch norm differ from rank to rank. Collective.
  func broadcastStatistics(over world: World) throws {
    let range = store.trainableCount..<store.count
    try world.broadcast(FloatSlice(start: store.values + range.lowerBound, count: range.count))
  }

  private func importTensors(
    _ tensors: [Checkpoint.Array], for parameters: [Parameter], file: String,
    _ take: (Parameter, [Float]) -> Void
  ) throws -> [String] {
    var byName = Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for parameter in parameters {
      guard let tensor = byName.removeValue(forKey: parameter.name) else {
        throw RunError(
          "\(file): error: '\(parameter.name)' is missing; was it made with another configuration?", exitCode: .badData)
      }
      guard tensor.shape == parameter.shape else {
        throw RunError(
          """
          \(file): error: '\(parameter.name)' has shape \(tensor.shape), the model expects \(parameter.shape); \
          was it made with another configuration?
          """, exitCode: .badData)
      }
      take(parameter, tensor.values)
    }
    return byName.keys.sorted()
  }
}
