import MPI
import Tensors

/// Sums the gradients over all ranks while the backward pass still runs.
///
/// The gradient arena is cut into buckets from its end, where backward begins. A bucket goes out as soon as it and
/// all before it are final: one order on all ranks, whatever the order in which gradients become final, because MPI
/// adds unrelated buckets of equal size without a word. Every float is in its bucket in every step, also where
/// nothing flowed back.
///
/// Losses are normalised over the global batch, so that gradients are summed; `dividesByWorldSize` averages them as
/// mmdetection does, where each rank has normalised its own.
public final class GradientReducer: GradientObserver {
  private let store: ParameterStore
  private let world: World
  private let order: CollectiveOrder?
  private let dividesByWorldSize: Bool
  /// Slices of the arena in the order in which they go out.
  private let buckets: [Range<Int>]
  private let bucketLength: Int
  /// For each bucket, how many of its parameters are not final yet, at the start of a step and now.
  private let parameterCounts: [Int]
  private var pending: [Int]
  private var requests: [Request] = []
  private var finishedRequests = 0
  private var startedAt: ContinuousClock.Instant?
  /// How long the last step's `finish` waited, and how long the reduction took from its first bucket on.
  public private(set) var waitedSeconds = 0.0
  public private(set) var totalSeconds = 0.0

  /// Collective: the buckets travel on messages of their own.
  public init(
    store: ParameterStore, world: World, bucketBytes: Int = 4 << 20, dividesByWorldSize: Bool = false,
    order: CollectiveOrder? = nil
  ) throws {
    (self.store, self.dividesByWorldSize, self.order) = (store, dividesByWorldSize, order)
    self.world = try world.duplicate()
    let length = max(1, bucketBytes / MemoryLayout<Float>.stride)
    let buckets = stride(from: store.trainableCount, to: 0, by: -length).map { max(0, $0 - length)..<$0 }
    parameterCounts = Self.parameterCounts(store, buckets: buckets.count, length: length)
    (self.buckets, bucketLength, pending) = (buckets, length, parameterCounts)
  }

  public var bucketCount: Int { buckets.count }

  public func gradientIsFinal(of parameter: Parameter) throws {
    guard world.size > 1, parameter.isTrainable, parameter.count > 0 else { return }
    for bucket in Self.buckets(of: parameter, in: store, length: bucketLength) {
      precondition(pending[bucket] > 0, "the gradient of \(parameter.name) became final twice in one step")
      pending[bucket] -= 1
    }
    while requests.count < buckets.count, pending[requests.count] == 0 { try startNext() }
  }

  public func makeProgress() throws {
    while finishedRequests < requests.count, try requests[finishedRequests].test() { finishedRequests += 1 }
  }

  /// Starts what is left and waits for all. Afterwards the arena holds the sums.
  public func finish() throws {
    guard world.size > 1 else { return }
    let waitingSince = ContinuousClock.now
    startedAt = startedAt ?? waitingSince
    while requests.count < buckets.count { try startNext() }
    for request in requests[finishedRequests...] { try request.wait() }
    let now = ContinuousClock.now
    waitedSeconds = (now - waitingSince) / .seconds(1)
    totalSeconds = (now - startedAt!) / .seconds(1)
    (requests, finishedRequests, startedAt, pending) = ([], 0, nil, parameterCounts)
    if dividesByWorldSize { scale(by: 1 / Float(world.size)) }
  }

  private func startNext() throws {
    if startedAt == nil { startedAt = .now }
    let range = buckets[requests.count]
    order?.record(.gradients, "bucket \(requests.count)", count: range.count)
    let slice = FloatSlice(start: store.gradients + range.lowerBound, count: range.count)
    if let request = try world.startSum(slice) { requests.append(request) }
  }

  private func scale(by factor: Float) {
    let gradients = store.gradients
    for i in 0..<store.trainableCount { gradients[i] *= factor }
  }

  private static func parameterCounts(_ store: ParameterStore, buckets: Int, length: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: buckets)
    for parameter in store.trainable where parameter.count > 0 {
      for bucket in Self.buckets(of: parameter, in: store, length: length) { counts[bucket] += 1 }
    }
    return counts
  }

  /// The buckets that a parameter reaches into, counted from the end of the arena.
  private static func buckets(of parameter: Parameter, in store: ParameterStore, length: Int) -> ClosedRange<Int> {
    let last = store.trainableCount - 1
    return (last - (parameter.offset + parameter.count - 1)) / length...(last - parameter.offset) / length
  }
}
