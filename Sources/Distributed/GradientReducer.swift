import MPI
import Primitives
import Tensors

/// Sums the gradients over all ranks while the backward pass still runs.
///
/// The gradient arena is cut into buckets from its end, where backward begins. A bucket goes out as soon as it and
/// all before it are final: one order on all ranks, whatever the order in which gradients become final, because MPI
/// adds unrelated buckets of equal size without a word. Every float is in its bucket in every step, also where
/// nothing flowed back.
///
/// During the backward pass, where a poll takes every bucket under way a round further, many are under way; afterwards
/// one at a time, which stays in the cache from its start to its end. MPI asks for one order on all ranks, not for one
/// number of requests under way, so that the ranks need not come from the one way to the other at the same bucket.
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
  /// The most buckets under way, during the backward pass and after it.
  private let windows: (backward: Int, finish: Int)
  /// For each bucket, how many of its parameters are not final yet, at the start of a step and now.
  private let parameterCounts: [Int]
  private var pending: [Int]
  /// Of the buckets that have gone out, the first `finishedCount` are back.
  private var requests: [Request] = []
  private var finishedCount = 0
  /// How long the last step's `finish` waited: for the network, and for slower ranks.
  public private(set) var waitedSeconds = 0.0
  /// How long the exchange takes where nothing hides it, as `measureAlone` found.
  public private(set) var aloneSeconds = 0.0

  /// Collective: the buckets travel on messages of their own.
  public init(
    store: ParameterStore, world: World, bucketBytes: Int = 2 << 20, windows: (backward: Int, finish: Int) = (16, 1),
    dividesByWorldSize: Bool = false, order: CollectiveOrder? = nil
  ) throws {
    (self.store, self.dividesByWorldSize, self.order) = (store, dividesByWorldSize, order)
    self.world = try world.duplicate()
    self.windows = windows
    // `World` sums what is shorter than that in one go, and a rank that waits for it may be waited for elsewhere.
    let length = max(world.size, bucketBytes / MemoryLayout<Float>.stride)
    let buckets = stride(from: store.trainableCount, to: 0, by: -length).map { max(0, $0 - length)..<$0 }
    parameterCounts = Self.parameterCounts(store, buckets: buckets.count, length: length)
    (self.buckets, bucketLength, pending) = (buckets, length, parameterCounts)
  }

  public var bucketCount: Int { buckets.count }

  /// The part of the exchange that the last step did not wait for, 0 ... 1; 0 as well where it waited longer than the
  /// exchange takes, for a slower rank.
  public var hiddenShare: Double { aloneSeconds > 0 ? max(0, 1 - waitedSeconds / aloneSeconds) : 0 }

  /// Sums the arena with nothing to hide it, twice, and keeps the shorter time; the first one makes the connections.
  /// Collective; the gradients must be zero.
  public func measureAlone() throws {
    guard world.size > 1 else { return }
    aloneSeconds = .infinity
    for _ in 0..<2 {
      try world.barrier()
      try finish()
      aloneSeconds = min(aloneSeconds, waitedSeconds)
    }
    waitedSeconds = 0
  }

  public func gradientIsFinal(of parameter: Parameter) throws {
    guard world.size > 1, parameter.isTrainable, parameter.count > 0 else { return }
    for bucket in Self.buckets(of: parameter, in: store, length: bucketLength) {
      require(pending[bucket] > 0, "the gradient of \(parameter.name) became final twice in one step")
      pending[bucket] -= 1
    }
    try startFinalOnes()
  }

  public func makeProgress() throws {
    while finishedCount < requests.count, try requests[finishedCount].test() {
      finishedCount += 1
      try startFinalOnes()
    }
  }

  /// Sends what is left and waits for all. Afterwards the arena holds the sums.
  public func finish() throws {
    guard world.size > 1 else { return }
    let start = ContinuousClock.now
    while finishedCount < buckets.count {
      while requests.count < min(buckets.count, finishedCount + windows.finish) { try startNext() }
      try order.map { try $0.waiting(requests[finishedCount].wait) } ?? requests[finishedCount].wait()
      finishedCount += 1
    }
    waitedSeconds = (ContinuousClock.now - start) / .seconds(1)
    (requests, finishedCount, pending) = ([], 0, parameterCounts)
    if dividesByWorldSize { scale(by: 1 / Float(world.size)) }
  }

  private func startFinalOnes() throws {
    while requests.count < min(buckets.count, finishedCount + windows.backward), pending[requests.count] == 0 {
      try startNext()
    }
  }

  private func startNext() throws {
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
