import Tensors
import Testing

@Suite struct RecordingTests {
  final class Observer: GradientObserver {
    var names: [String] = []
    func gradientIsFinal(of parameter: Parameter) { names.append(parameter.name) }
    func makeProgress() {}
  }

  private func network(_ check: GradientCheck) -> (Tensor) throws -> Tensor {
    let first = check.parameter("first", [8, 3, 3, 3], isTrainable: false)
    let shared = check.parameter("shared", [8, 8, 3, 3])
    let bias = check.parameter("shared bias", [8])
    let norm = check.norm(8)
    let frozen = check.norm(8, isTrainable: false)
    let (matrix, offset) = (check.parameter("matrix", [9, 8 * 4]), check.parameter("offset", [9]))
    check.store.allocate(seed: 1)
    return { x in
      let low = x.convolution(first, frozenNorm: frozen, stride: 2, padding: 1, relu: true)
      let map = try low.convolution(shared, bias: bias, padding: 1).batchNorm(norm, residual: low, relu: true)
      let top = map.maxPool(kernel: 1, stride: 2, padding: 0)
      let lateral = map.convolution(shared, bias: bias, padding: 1)
      lateral.addUpsampled(top)
      let merged = lateral.convolution(shared, bias: bias, padding: 1, relu: true)
      let pooled = merged.groupNorm(norm, groups: 2).maxPool(kernel: 4, stride: 4, padding: 0)
      return pooled.reshaped([pooled.shape[0], 8 * 4]).linear(matrix, bias: offset, relu: true)
    }
  }

  @Test func aParameterIsAnnouncedOnceAfterItsLastUse() throws {
    let check = GradientCheck()
    let network = network(check)
    let engine = Engine(threads: 2)
    engine.tape = Tape()
    let y = try network(Tensor([2, 16, 16, 3], check.numbers(2 * 16 * 16 * 3), on: engine))
    let observer = Observer()
    try backward(from: y, [Float](repeating: 1, count: y.count), informing: observer)
    #expect(observer.names == ["matrix", "offset", "weight", "bias", "shared", "shared bias"])
  }

  @Test func frozenPartsRecordNothing() throws {
    let check = GradientCheck()
    let first = check.parameter("first", [8, 3, 3, 3], isTrainable: false)
    let frozen = check.norm(8, isTrainable: false)
    check.store.allocate(seed: 1)
    let engine = Engine(threads: 1)
    engine.tape = Tape()
    let x = Tensor([1, 8, 8, 3], check.numbers(192), on: engine)
    let y = x.convolution(first, frozenNorm: frozen, padding: 1, relu: true).maxPool(
      kernel: 3, stride: 2, padding: 1)
    #expect(engine.tape!.count == 0 && !y.needsGradient)
  }

  @Test func withoutATapeNothingIsRecorded() throws {
    let check = GradientCheck()
    let network = network(check)
    let engine = Engine(threads: 1)
    let y = try network(Tensor([1, 16, 16, 3], check.numbers(768), on: engine, needsGradient: true))
    #expect(!y.needsGradient)
  }

  @Test func nothingIsAllocatedAfterTheSecondStep() throws {
    let check = GradientCheck()
    let network = network(check)
    let engine = Engine(threads: 2)
    let allocations = try (0..<4).map { _ in
      engine.tape = Tape()
      let y = try network(Tensor([2, 16, 16, 3], check.numbers(2 * 16 * 16 * 3), on: engine))
      try backward(from: y, [Float](repeating: 1, count: y.count))
      return engine.pool.allocationCount
    }
    #expect(allocations[1] == allocations[3])
  }
}
