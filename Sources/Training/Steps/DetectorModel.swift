import Detection
import Kernels
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
  public func exportedModel() -> [Checkpoint.Array] { Array(store.exportedModel(from: store.values)) }

  /// The momenta of the trainable parameters, in the same names and layouts.
  public func exportedMomenta() -> [Checkpoint.Array] { Array(store.exportedMomenta(from: store.momenta)) }

  /// Rank 0's running statistics on all ranks: those of plain batch norm differ from rank to rank. Collective.
  func broadcastStatistics(over world: World) throws {
    let range = store.trainableCount..<store.count
    try world.broadcast(FloatSlice(start: store.values + range.lowerBound, count: range.count))
  }
}

extension ParameterStore {
  /// All parameters and statistics in PyTorch's layouts, each made when it is asked for.
  /// - Parameter values: the arena of values, or a copy of it.
  func exportedModel(from values: Floats) -> LazyMapSequence<[Parameter], Checkpoint.Array> {
    parameters.lazy.map {
      Checkpoint.Array(name: $0.name, shape: $0.shape, values: $0.exported(values + $0.offset))
    }
  }

  /// The momenta of the trainable parameters, in the same way.
  /// - Parameter momenta: the arena of momenta, or a copy of it.
  func exportedMomenta(from momenta: Floats) -> LazyMapSequence<[Parameter], Checkpoint.Array> {
    trainable.lazy.map {
      Checkpoint.Array(name: $0.name, shape: $0.shape, values: $0.exported(momenta + $0.offset))
    }
  }
}
