import MPI
import Tensors

/// Replicas start from rank 0's.
public enum ParameterBroadcast {
  /// Rank 0's values on all ranks, and its states (momenta, …), which a resumed run brings along. Collective.
  public static func run(_ store: ParameterStore, world: World, order: CollectiveOrder? = nil) throws {
    let order = order ?? CollectiveOrder()
    order.record(.parameters, "values", count: store.count)
    try order.waiting { try world.broadcast(FloatSlice(start: store.values, count: store.count)) }
    for state in store.states {
      order.record(.parameters, state.rawValue, count: store.trainableCount)
      try order.waiting { try world.broadcast(FloatSlice(start: store.state(state), count: store.trainableCount)) }
    }
  }
}
