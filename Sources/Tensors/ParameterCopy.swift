import Foundation
import Kernels
import Primitives

/// A copy of the values and states of all parameters, in memory that is kept: what a checkpoint is written from while
/// training goes on.
public final class ParameterCopy {
  /// In the order of the arenas, as `ParameterStore.values`.
  public let values: Floats
  /// As `ParameterStore.state`, one after the other.
  private let states: [(state: ParameterState, values: Floats)]

  /// The bytes that a copy takes.
  public static func byteCount(of store: ParameterStore) -> Int {
    floatCount(of: store) * MemoryLayout<Float>.stride
  }

  private static func floatCount(of store: ParameterStore) -> Int {
    store.count + store.states.count * store.trainableCount
  }

  /// nil where there is no memory for it. Holds nothing yet.
  public init?(of store: ParameterStore) {
    let count = Self.floatCount(of: store)
    guard let memory = malloc(max(1, Self.byteCount(of: store)))?.bindMemory(to: Float.self, capacity: count) else {
      return nil
    }
    values = memory
    states = store.states.enumerated().map { place, state in
      (state, memory + store.count + place * store.trainableCount)
    }
  }

  deinit { free(values) }

  /// The copy of a state that the store kept when this was made.
  public func state(_ state: ParameterState) -> Floats {
    guard let copy = states.first(where: { $0.state == state }) else { bug("\(state.words) was not copied") }
    return copy.values
  }

  /// Takes over what the store holds now. The copy must be of this store.
  public func update(from store: ParameterStore) {
    values.update(from: store.values, count: store.count)
    for (state, values) in states { values.update(from: store.state(state), count: store.trainableCount) }
  }
}
