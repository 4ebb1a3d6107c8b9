import Kernels
import Primitives

/// All parameters of a model in arenas of one order: values, gradients, and what training keeps of each
/// (`ParameterState`). Trainable parameters come first, in the order in which the model registers them; frozen ones and
/// statistics have values only.
public final class ParameterStore {
  /// In the order of registration.
  public private(set) var parameters: [Parameter] = []
  private let pool = BufferPool()
  private var arenas: (values: Buffer, gradients: Buffer)?
  private var stateArenas: [ParameterState: Buffer] = [:]

  public init() {}

  /// Adds a parameter; to be called before `allocate`.
  /// - Parameters:
  ///   - name: mmdetection's, for example `backbone.layer1.0.conv1.weight`.
  ///   - shape: PyTorch's: `[out, in, height, width]`, `[out, in]` or `[channels]`.
  ///   - layout: how it lies in memory here.
  ///   - isTrainable: whether it has a gradient and states.
  ///   - isStatistic: whether it is gathered from the batches that this rank sees.
  ///   - initializer: what its values are at first.
  ///   - classRows: which rows belong to which class; nil where it does not depend on the classes.
  public func add(
    _ name: String, shape: [Int], layout: ParameterLayout = .plain, isTrainable: Bool, isStatistic: Bool = false,
    initializer: Initializer, classRows: ClassRows? = nil
  ) -> Parameter {
    require(arenas == nil, "\(name) comes after the arenas were allocated")
    let parameter = Parameter(
      name: name, shape: shape, layout: layout, isTrainable: isTrainable, isStatistic: isStatistic,
      initializer: initializer, classRows: classRows, store: self)
    parameters.append(parameter)
    return parameter
  }

  /// In the order of the arenas.
  public var trainable: [Parameter] { parameters.filter(\.isTrainable) }

  /// The number of trainable floats: the length of the arena of gradients and of those of states.
  public private(set) var trainableCount = 0
  /// The number of floats in the arena of values.
  public private(set) var count = 0

  /// Lays out the arenas and initialises every parameter from `seed` and its name.
  public func allocate(seed: UInt64) {
    var offset = 0
    for wanted in [true, false] {
      for parameter in parameters where parameter.isTrainable == wanted {
        parameter.offset = offset
        offset += parameter.count
      }
      if wanted { trainableCount = offset }
    }
    count = offset
    let arenas = (pool.buffer(count), pool.buffer(trainableCount))
    self.arenas = arenas
    arenas.1.fill(0)
    for parameter in parameters { parameter.initializer.fill(parameter, seed: seed) }
  }

  /// The arena of values, `count` floats.
  public var values: Floats { allocated.values.values }
  /// The arena of gradients, `trainableCount` floats.
  public var gradients: Floats { allocated.gradients.values }

  /// What is kept of each trainable parameter; only what was asked for takes memory.
  public var states: [ParameterState] { ParameterState.allCases.filter { stateArenas[$0] != nil } }

  /// Makes arenas of zeros for those states that have none yet; to be called after `allocate`.
  public func keep(_ states: [ParameterState]) {
    require(arenas != nil, "states are kept before the arenas were allocated")
    for state in states where stateArenas[state] == nil {
      let arena = pool.buffer(trainableCount)
      arena.fill(0)
      stateArenas[state] = arena
    }
  }

  /// The arena of a state that is kept, `trainableCount` floats.
  public func state(_ state: ParameterState) -> Floats {
    guard let arena = stateArenas[state] else { bug("\(state.words) of the parameters is not kept") }
    return arena.values
  }

  /// The arena of SGD's momenta.
  public var momenta: Floats { state(.momentum) }

  /// The averages, which must be kept, begin with the values as they are.
  public func startAverages() { state(.average).update(from: values, count: trainableCount) }

  /// Exchanges the values of the trainable parameters and their averages, which must be kept.
  public func swapAverages() {
    let (values, averages) = (values, state(.average))
    for i in 0..<trainableCount { (values[i], averages[i]) = (averages[i], values[i]) }
  }

  /// To be called at the start of a step: gradients always add.
  public func zeroGradients() { allocated.gradients.fill(0) }

  private var allocated: (values: Buffer, gradients: Buffer) {
    guard let arenas else { bug("the arenas of \(parameters.count) parameters were not allocated") }
    return arenas
  }
}
