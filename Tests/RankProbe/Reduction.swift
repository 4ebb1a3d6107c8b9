import Distributed
import Kernels
import MPI
import Tensors

/// Trainable parameters of awkward sizes around a frozen one.
private func makeStore(seed: UInt64 = 1) -> ParameterStore {
  let store = ParameterStore()
  for (index, count) in [1, 33, 17, 100, 7, 0, 64, 9].enumerated() {
    _ = store.add("p\(index)", shape: [count], isTrainable: true, initializer: .normal(1))
    if index == 3 { _ = store.add("frozen", shape: [5], isTrainable: false, initializer: .normal(1)) }
    if index == 4 {
      _ = store.add("statistic", shape: [5], isTrainable: false, isStatistic: true, initializer: .normal(1))
    }
  }
  store.allocate(seed: seed)
  store.keep([.momentum])
  return store
}

/// Announces the gradients in another order on each rank, and leaves one out.
func checkReducer(_ world: World) throws {
  for bucketBytes in [4, 28, 100, 4 << 20] {
    let (store, order) = (makeStore(), CollectiveOrder())
    let reducer = try GradientReducer(store: store, world: world, bucketBytes: bucketBytes, order: order)
    for step in 1...3 {
      for i in 0..<store.trainableCount { store.gradients[i] = Float((i + step) * (world.rank + 1)) }
      var parameters = store.parameters.filter { $0.name != "p\(step + world.rank % 2)" }
      if world.rank % 2 == 0 { parameters.reverse() }
      for parameter in parameters {
        try reducer.gradientIsFinal(of: parameter)
        try reducer.makeProgress()
      }
      try reducer.finish()
      let ranks = world.size * (world.size + 1) / 2
      for i in 0..<store.trainableCount {
        let expected = Float((i + step) * ranks)
        try expect(store.gradients[i] == expected, "gradient \(i) is \(store.gradients[i]), not \(expected)")
      }
      let report = StepReport(losses: [1], counts: [])
      let sums = try report.summed(over: world, order: order, step: step)
      try expect(sums.losses == [Double(world.size)], "the loss is \(sums.losses)")
    }
    try expect((reducer.waitedSeconds > 0) == (world.size > 1), "waited \(reducer.waitedSeconds) s")
  }
}

func checkAverage(_ world: World) throws {
  let store = makeStore()
  let reducer = try GradientReducer(store: store, world: world, bucketBytes: 64, dividesByWorldSize: true)
  for i in 0..<store.trainableCount { store.gradients[i] = Float(i * (2 * world.rank + 1)) }
  try reducer.finish()
  for i in 0..<store.trainableCount {
    let expected = Float(i * world.size)
    try expect(abs(store.gradients[i] - expected) <= 1e-4, "gradient \(i) is \(store.gradients[i]), not \(expected)")
  }
}

func checkBroadcast(_ world: World) throws {
  let (store, original) = (makeStore(seed: UInt64(world.rank)), makeStore(seed: 0))
  for i in 0..<store.trainableCount { store.momenta[i] = Float(i + 1000 * world.rank) }
  try ParameterBroadcast.run(store, world: world)
  for i in 0..<store.count { try expect(store.values[i] == original.values[i], "value \(i) is not rank 0's") }
  for i in 0..<store.trainableCount { try expect(store.momenta[i] == Float(i), "momentum \(i) is not rank 0's") }
}

func checkReport(_ world: World) throws {
  let order = CollectiveOrder()
  let last = world.size - 1
  let statistics = try SynchronizedStatistics(world: world, order: order)
  for step in 1...3 {
    var values = [1.0, Double(world.rank)]
    try statistics.sum(&values)
    try expect(values == [Double(world.size), Double(world.size * last / 2)], "the statistics are \(values)")
    let report = StepReport(
      losses: [0.5, Double(world.rank)], counts: [3], isFinite: world.rank != last || step < 3,
      signals: world.rank == last && step == 2 ? [.saveAndStop] : [])
    let sums = try report.summed(over: world, order: order, step: step)
    try expect(sums.losses == [0.5 * Double(world.size), Double(world.size * last / 2)], "losses \(sums.losses)")
    try expect(sums.counts == [Double(3 * world.size)], "counts \(sums.counts)")
    try expect(sums.signals == (step == 2 ? [.saveAndStop] : []), "signals \(sums.signals)")
    try expect(sums.nonFiniteRanks == (step == 3 ? 1 : 0), "\(sums.nonFiniteRanks) ranks not finite")
  }
}

/// Each rank adds some of twelve images, in an order of its own; the sums must be those of a rank that has them all.
func checkExactReducer(_ world: World) throws {
  let images = 12
  func gradient(_ image: Int, _ place: Int) -> Float { 1 / Float(image * 37 + place + 1) - 0.001 * Float(image) }
  func sums(of own: [Int], _ world: World, bucketBytes: Int) throws -> [UInt32] {
    let store = makeStore()
    let exactSums = FixedPointSums(store: store, workers: Workers(count: 1))
    let reducer = try GradientReducer(store: store, world: world, bucketBytes: bucketBytes, exactSums: exactSums)
    try reducer.measureAlone()
    for _ in 0..<2 {
      store.zeroGradients()
      exactSums.begin(images: images)
      for image in own {
        for i in 0..<store.trainableCount { store.gradients[i] += gradient(image, i) }
        if image != own.last { exactSums.addImage() }
      }
      for parameter in store.parameters.reversed() where parameter.name != "p3" {
        try reducer.gradientIsFinal(of: parameter)
        try reducer.makeProgress()
      }
      try reducer.finish()
    }
    try expect(exactSums.failure == nil, "a gradient does not fit")
    return (0..<store.trainableCount).map { store.gradients[$0].bitPattern }
  }
  let own = (0..<images).filter { $0 % world.size == world.rank }.sorted { _, _ in world.rank % 2 == 0 }
  let alone = try sums(of: Array(0..<images), World.start(singleRank: true, environment: [:]), bucketBytes: 100)
  for bucketBytes in [4, 28, 4 << 20] {
    try expect(try sums(of: own, world, bucketBytes: bucketBytes) == alone, "the sums differ from one rank's")
  }
}

/// Replicas whose statistics differ are replicas.
func checkReplicas(_ world: World) throws {
  let store = makeStore()
  let statistic = store.parameters.first { $0.isStatistic }
  statistic?.values[0] = Float(world.rank)
  try ReplicaCheck(store: store, world: world, workers: Workers(count: 1)).run(iteration: 3)
}

/// The last rank but one loses a bit.
func flipABit(_ world: World, ofMomentum: Bool) throws {
  let store = makeStore()
  let parameter = store.trainable[3]
  if world.rank == max(0, world.size - 2) {
    let place = (ofMomentum ? parameter.momentum : parameter.values) + 99
    place[0] = Float(bitPattern: place[0].bitPattern ^ 1)
  }
  try ReplicaCheck(store: store, world: world, workers: Workers(count: 1)).run(iteration: 3)
}
