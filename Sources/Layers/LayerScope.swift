import Tensors

/// Where a layer puts its parameters: the store, the prefix of their names, and whether they are trained.
public struct LayerScope {
  public let store: ParameterStore
  /// Of the names, for example `backbone.layer1`; empty at the top.
  public let prefix: String
  /// Parameters here are not trained and batch norm uses its running statistics (`frozen_stages`).
  public let isFrozen: Bool
  /// Adds over all ranks for `SyncBN`; nil in a world of one.
  public let synchronizer: (any StatisticsSynchronizer)?

  public init(
    store: ParameterStore, prefix: String = "", isFrozen: Bool = false,
    synchronizer: (any StatisticsSynchronizer)? = nil
  ) {
    (self.store, self.prefix, self.isFrozen, self.synchronizer) = (store, prefix, isFrozen, synchronizer)
  }

  /// The scope of a part, for example `backbone` → `backbone.layer1`.
  public func scope(_ name: String) -> LayerScope {
    LayerScope(store: store, prefix: path(name), isFrozen: isFrozen, synchronizer: synchronizer)
  }

  /// The same place, frozen if it is already or if `isFrozen`.
  public func frozen(_ isFrozen: Bool) -> LayerScope {
    LayerScope(store: store, prefix: prefix, isFrozen: self.isFrozen || isFrozen, synchronizer: synchronizer)
  }

  func parameter(
    _ name: String, shape: [Int], layout: ParameterLayout = .plain, initializer: Initializer, isTrainable: Bool = true,
    isStatistic: Bool = false, classRows: ClassRows? = nil
  ) -> Parameter {
    store.add(
      path(name), shape: shape, layout: layout, isTrainable: isTrainable && !isFrozen && !isStatistic,
      isStatistic: isStatistic, initializer: initializer, classRows: classRows)
  }

  private func path(_ name: String) -> String { prefix.isEmpty ? name : "\(prefix).\(name)" }
}
