import Kernels

/// All parameters of a model in three arenas of one order: values, gradients, momenta. Trainable parameters come
/// first, in the order in which the model registers them; frozen ones and statistics have values only.
public final class ParameterStore {
  public private(set) var parameters: [Parameter] = []
  private let pool = BufferPool()
  private var arenas: (values: Buffer, gradients: Buffer, momenta: Buffer)?

  public init() {}

  /// Adds a parameter; to be called before `allocate`.
  public func add(
    _ name: String, shape: [Int], layout: ParameterLayout = .plain, isTrainable: Bool, initializer: Initializer
  ) -> Parameter {
    precondition(arenas == nil, "\(name) comes after the arenas were allocated")
    let parameter = Parameter(
      name: name, shape: shape, layout: layout, isTrainable: isTrainable, initializer: initializer, store: self)
    parameters.append(parameter)
    return parameter
  }

  public var trainable: [Parameter] { parameters.filter(\.isTrainable) }

  /// The number of trainable floats: the length of the gradient and momentum arenas.
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
    let arenas = (pool.buffer(count), pool.buffer(trainableCount), pool.buffer(trainableCount))
    self.arenas = arenas
    arenas.1.fill(0)
    arenas.2.fill(0)
    for parameter in parameters { parameter.initializer.fill(parameter, seed: seed) }
  }

  public var values: Floats { arenas!.values.values }
  public var gradients: Floats { arenas!.gradients.values }
  public var momenta: Floats { arenas!.momenta.values }

  /// To be called at the start of a step: gradients always add.
  public func zeroGradients() { arenas!.gradients.fill(0) }
}
