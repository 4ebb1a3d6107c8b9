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

  /// Rank 0's running statistics on all ranks: those of plain batch norm differ from rank to rank. Collective.
  func broadcastStatistics(over world: World) throws {
    let range = store.trainableCount..<store.count
    try world.broadcast(FloatSlice(start: store.values + range.lowerBound, count: range.count))
  }
}
