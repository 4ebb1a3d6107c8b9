import Foundation
import Kernels
import Primitives

/// A copy of the values and momenta of all parameters, in memory that is kept: what a checkpoint is written from while
/// training goes on.
public final class ParameterCopy {
  /// In the order of the arenas, as `ParameterStore.values` and `.momenta`.
  public let values: Floats
  public let momenta: Floats

  /// The bytes that a copy takes.
  public static func byteCount(of store: ParameterStore) -> Int {
    (store.count + store.trainableCount) * MemoryLayout<Float>.stride
  }

  /// nil where there is no memory for it. Holds nothing yet.
  public init?(of store: ParameterStore) {
    let count = store.count + store.trainableCount
    guard let memory = malloc(max(1, Self.byteCount(of: store)))?.bindMemory(to: Float.self, capacity: count) else {
      return nil
    }
    values = memory
    momenta = values + store.count
  }

  deinit { free(values) }

  /// Takes over what the store holds now. The copy must be of this store.
  public func update(from store: ParameterStore) {
    values.update(from: store.values, count: store.count)
    momenta.update(from: store.momenta, count: store.trainableCount)
  }
}
