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
    detector = configuration.make(in: LayerScope(store: store, synchronizer: synchronizer))
    store.allocate(seed: seed)
  }

  /// All parameters and statistics in PyTorch's layouts, in mmdetection's names.
  public func exportedModel() -> [Checkpoint.Array] { Array(store.exportedModel(from: store.values)) }

  /// Rank 0's running statistics on all ranks: those of plain batch norm differ from rank to rank. Collective.
  func broadcastStatistics(over world: World) throws {
    let range = store.trainableCount..<store.count
    try world.broadcast(FloatSlice(start: store.values + range.lowerBound, count: range.count))
  }
}

extension ParameterStore {
  /// All parameters and statistics in PyTorch's layouts, each made when it is asked for.
  /// - Parameters:
  ///   - values: the arena of values, or a copy of it.
  ///   - averages: that of averages, where they are kept: they take the names, and the values others (mmcv's `EMAHook`).
  func exportedModel(
    from values: Floats, averages: Floats? = nil
  ) -> some Sequence<Checkpoint.Array> {
    let own = parameters.map { (name: $0.name, parameter: $0, arena: $0.isTrainable ? averages ?? values : values) }
    let trained = averages == nil ? [] : parameters.filter { !$0.isStatistic }
    let beside = trained.map { (name: Checkpoint.averagedName($0.name), parameter: $0, arena: values) }
    return (own + beside).lazy.map { entry in
      Checkpoint.Array(
        name: entry.name, shape: entry.parameter.shape,
        values: entry.parameter.exported(entry.arena + entry.parameter.offset))
    }
  }

  /// A state of the trainable parameters, in the same way.
  /// - Parameter arena: the state's, or a copy of it.
  func exportedState(from arena: Floats) -> LazyMapSequence<[Parameter], Checkpoint.Array> {
    trainable.lazy.map {
      Checkpoint.Array(name: $0.name, shape: $0.shape, values: $0.exported(arena + $0.offset))
    }
  }
}
