import Kernels
import Primitives

/// A named array of the model: a weight, a bias, or a statistic that is stored but not trained.
public final class Parameter {
  /// mmdetection's state-dict name, for example `backbone.layer1.0.conv1.weight`.
  public let name: String
  /// PyTorch's shape: `[out, in, height, width]`, `[out, in]` or `[channels]`.
  public let shape: [Int]
  /// How it lies in memory here.
  public let layout: ParameterLayout
  /// Whether it has a gradient and states.
  public let isTrainable: Bool
  /// Whether it is gathered from the batches that this rank sees, and so may differ from rank to rank.
  public let isStatistic: Bool
  public let initializer: Initializer
  /// Which rows belong to which class; nil where it does not depend on the classes.
  public let classRows: ClassRows?
  /// How many recorded operations have not yet run back. At zero the gradient is final.
  public internal(set) var pendingUses = 0
  /// The place in the arenas, in floats; set when the store allocates.
  public internal(set) var offset = -1
  private unowned let store: ParameterStore

  init(
    name: String, shape: [Int], layout: ParameterLayout, isTrainable: Bool, isStatistic: Bool,
    initializer: Initializer, classRows: ClassRows?, store: ParameterStore
  ) {
    require(
      classRows.map { $0.count == shape[0] } ?? true,
      "\(name) of shape \(shape) has \(classRows?.count ?? 0) rows by its classes")
    (self.name, self.shape, self.layout, self.isTrainable) = (name, shape, layout, isTrainable)
    (self.isStatistic, self.initializer, self.classRows, self.store) = (isStatistic, initializer, classRows, store)
  }

  public var count: Int { shape.reduce(1, *) }
  /// The slice of the arena of values, in `layout`; once the store has allocated.
  public var values: Floats { store.values + offset }
  /// The gradient's slice of the arena. Gradients always add; the store zeroes them.
  public var gradient: Floats {
    require(isTrainable, "\(name) is frozen and has no gradient")
    return store.gradients + offset
  }
  /// The slice of a state's arena, in the same layout.
  public func state(_ state: ParameterState) -> Floats {
    require(isTrainable, "\(name) is frozen and has no \(state.rawValue)")
    return store.state(state) + offset
  }
  /// SGD's momentum.
  public var momentum: Floats { state(.momentum) }

  /// `source`, which stands in this parameter's layout (values or a state), in PyTorch's, as in checkpoints.
  public func exported(_ source: Floats) -> [Float] {
    layout.torchIndices(shape: shape).map { indices in indices.map { source[$0] } }
      ?? Array(UnsafeBufferPointer(start: source, count: count))
  }

  /// Writes `torch`, which stands in PyTorch's layout, into `target` in this parameter's.
  public func importValues(_ torch: [Float], into target: Floats) {
    require(torch.count == count, "\(name) of shape \(shape) has \(count) values, not \(torch.count)")
    if let indices = layout.torchIndices(shape: shape) {
      for (i, index) in indices.enumerated() { target[index] = torch[i] }
    } else {
      for i in 0..<count { target[i] = torch[i] }
    }
  }
}

/// How a parameter lies in memory, compared with PyTorch.
public enum ParameterLayout: Sendable {
  /// As in PyTorch.
  case plain
  /// `[out, height, width, in]` here, `[out, in, height, width]` there.
  case convolution
  /// A linear layer on a flattened map: columns `(height, width, channel)` here, `(channel, height, width)` there.
  case linearOnMap(channels: Int, height: Int, width: Int)

  /// For each element in PyTorch's order, where it lies here; nil when the orders agree.
  func torchIndices(shape: [Int]) -> [Int]? {
    switch self {
    case .plain: return nil
    case .convolution:
      return Self.indices(rows: shape[0], channels: shape[1], height: shape[2], width: shape[3])
    case .linearOnMap(let channels, let height, let width):
      return Self.indices(rows: shape[0], channels: channels, height: height, width: width)
    }
  }

  private static func indices(rows: Int, channels: Int, height: Int, width: Int) -> [Int]? {
    if height * width == 1 || channels == 1 { return nil }
    var indices: [Int] = []
    indices.reserveCapacity(rows * channels * height * width)
    for row in 0..<rows {
      for c in 0..<channels {
        for cell in 0..<height * width { indices.append((row * height * width + cell) * channels + c) }
      }
    }
    return indices
  }
}

/// How a parameter starts.
public enum Initializer: Sendable {
  case constant(Float)
  /// Normal with this deviation.
  case normal(Float)
  /// Kaiming's normal for ReLU; `fanOut` counts outputs × kernel area, else inputs × kernel area.
  case kaimingNormal(fanOut: Bool)
  /// Xavier's uniform (FPN, mmcv's `xavier_init(distribution='uniform')`, and `Shared2FCBBoxHead`'s layers).
  case xavierUniform

  func fill(_ parameter: Parameter, seed: UInt64) {
    var random = KeyedRandom(seed: seed, purpose: .initialization, item: KeyedRandom.hash(parameter.name))
    let (target, count, shape) = (parameter.values, parameter.count, parameter.shape)
    let area = shape.dropFirst(2).reduce(1, *)
    let fanIn = Float((shape.count > 1 ? shape[1] : shape[0]) * area)
    let fanOut = Float(shape[0] * area)
    switch self {
    case .constant(let value):
      target.update(repeating: value, count: count)
    case .normal(let deviation):
      for i in 0..<count { target[i] = deviation * random.normal() }
    case .kaimingNormal(let usesFanOut):
      let deviation = (2 / (usesFanOut ? fanOut : fanIn)).squareRoot()
      for i in 0..<count { target[i] = deviation * random.normal() }
    case .xavierUniform:
      let bound = (6 / (fanIn + fanOut)).squareRoot()
      for i in 0..<count { target[i] = bound * (2 * random.uniform() - 1) }
    }
  }
}
