import Foundation
import Kernels
import Primitives
import Tensors
import TestSupport
import Testing

@Suite struct LossOperationTests {
  private typealias Loss = (Tensor) -> Tensor

  private let losses: [(name: String, loss: Loss)] = [
    (
      "softmax",
      {
        .softmaxCrossEntropies(
          logits: $0, rows: [4, 1, 8], labels: [0, 2, 1], weights: [1, 0.5, 2], classWeight: [1, 2, 0.5]
        ).sum(scale: 0.3)
      }
    ),
    (
      "sigmoid",
      {
        .elementLosses(
          .sigmoidCrossEntropy(positiveWeights: [1, 2, 3]), of: $0, elements: [3, 26, 7], targets: [1, 0, 0.25],
          weights: [1, 2, 0.5]
        ).sum(scale: 0.7)
      }
    ),
    (
      "l1",
      { .elementLosses(.l1, of: $0, elements: [0, 13], targets: [0.1, -3], weights: [1, 2]).sum(scale: 0.5) }
    ),
    (
      "smooth l1",
      {
        .elementLosses(
          .smoothL1(beta: 0.8), of: $0, elements: [0, 13, 25], targets: [0.1, -3, 0.2], weights: [1, 2, 1]
        ).sum(scale: 0.5)
      }
    ),
    (
      "focal",
      {
        .elementLosses(
          .focal(alpha: 0.25, gamma: 1.5), of: $0, elements: [2, 5, 6], targets: [1, 0, 1], weights: [1, 2, 3]
        ).sum(scale: 0.5)
      }
    ),
    (
      "CIoU",
      { prediction in
        let boxes = prediction.reshaped([9, 4])
        let targets = (0..<9).flatMap { _ -> [Float] in [0.5, 0.5, 3, 4] }
        return .boxLosses(.ciou, of: boxes, targets: targets, weights: (1...9).map { Float($0) }, eps: 1e-6).sum()
      }
    ),
  ]

  @Test func gradientByProjection() throws {
    for (name, loss) in losses {
      let shape = name == "CIoU" ? [9, 4] : [1, 3, 3, 3]
      let point = numbers(shape.reduce(1, *), seed: 1, areBoxes: name == "CIoU")
      let direction = numbers(point.count, seed: 2)
      let engine = Engine(threads: 1)
      engine.tape = Tape()
      let prediction = Tensor(shape, point, on: engine, needsGradient: true)
      try engine.tape!.backward(from: loss(prediction))
      let slope = zip(try #require(prediction.gradientArray), direction).reduce(0.0) { $0 + Double($1.0 * $1.1) }

      engine.tape = nil
      func value(_ step: Float) -> Double {
        let moved = zip(point, direction).map { $0 + step * $1 }
        return Double(loss(Tensor(shape, moved, on: engine)).values[0])
      }
      let difference = (value(0x1p-8) - value(-0x1p-8)) * 128
      #expect(abs(slope - difference) < 2e-3 * max(abs(difference), 0.1), "\(name): \(slope), not \(difference)")
    }
  }

  /// Each coordinate is then at a tie of two maxima, whose slope torch 1.8 gives to the second one, the target (`losses2.h5`
  /// has such boxes). Of the IoU's slope that of the box's own area in the union is left, side / area; in GIoU the enclosing
  /// box cancels it.
  @Test(arguments: [0, 1]) func aPerfectBoxHasTheSlopeOfItsArea(kind: Int) throws {
    let engine = Engine(threads: 1)
    engine.tape = Tape()
    let boxes = Tensor([1, 4], [1, 2, 4, 7], on: engine, needsGradient: true)
    let loss = [BoxLoss.iou(linear: true), .giou][kind]
    try engine.tape!.backward(
      from: .boxLosses(loss, of: boxes, targets: [1, 2, 4, 7], weights: [1], eps: 1e-6).sum())
    let (across, down): (Float, Float) = kind == 0 ? (5 / 15, 3 / 15) : (0, 0)
    #expect(boxes.gradientArray == [-across, -down, across, down])
  }

  /// What isn't chosen may hold anything.
  @Test func unchosenElementsAreNotLookedAt() throws {
    let engine = Engine(threads: 1)
    engine.tape = Tape()
    var values = [Float](repeating: .nan, count: 12)
    (values[5], values[6], values[7], values[8]) = (0.5, 1, 2, 3)
    let prediction = Tensor([2, 2, 3], values, on: engine, needsGradient: true)
    let loss = Tensor.sum(of: [
      .elementLosses(.l1, of: prediction, elements: [5], targets: [0], weights: [2]).sum(),
      .softmaxCrossEntropies(logits: prediction, rows: [2], labels: [2], weights: [1]).sum(),
    ])
    #expect(abs(loss.values[0] - 1.4076059) < 1e-5)
    try engine.tape!.backward(from: loss)
    let gradient = try #require(prediction.gradientArray)
    expectClose(
      gradient, [0, 0, 0, 0, 0, 2, 0.09003057, 0.24472848, -0.33475903, 0, 0, 0], absolute: 1e-6)
  }

  @Test func withoutElementsTheGradientIsThereAndZero() throws {
    let empty: [Loss] = [
      { .softmaxCrossEntropies(logits: $0, rows: [], labels: [], weights: []).sum() },
      {
        .elementLosses(
          .sigmoidCrossEntropy(positiveWeights: nil), of: $0, elements: [], targets: [], weights: []
        ).sum()
      },
      { .elementLosses(.l1, of: $0, elements: [], targets: [], weights: []).sum() },
      { .elementLosses(.smoothL1(beta: 1), of: $0, elements: [], targets: [], weights: []).sum() },
    ]
    for shape in [[2, 3], [0, 3]] {
      for loss in empty {
        let engine = Engine(threads: 1)
        engine.tape = Tape()
        let count = shape.reduce(1, *)
        let prediction = Tensor(shape, [Float](repeating: .infinity, count: count), on: engine, needsGradient: true)
        let value = loss(prediction)
        #expect(value.shape == [1] && value.array == [0])
        try engine.tape!.backward(from: value)
        #expect(prediction.gradientArray == [Float](repeating: 0, count: count))
      }
    }
  }

  @Test func infiniteLogitsDoNotSpoilTheLoss() {
    let engine = Engine(threads: 1)
    let logits = Tensor([2], [1000, -1000], on: engine)
    let loss = Tensor.elementLosses(
      .sigmoidCrossEntropy(positiveWeights: nil), of: logits, targets: [1, 0], weights: [1, 1]
    ).sum()
    #expect(loss.array == [0])
    let rows = Tensor([1, 2], [1000, -1000], on: engine)
    #expect(Tensor.softmaxCrossEntropies(logits: rows, labels: [1], weights: [1]).array == [2000])
  }

  private func numbers(_ count: Int, seed: UInt64, areBoxes: Bool = false) -> [Float] {
    var random = KeyedRandom(seed: seed, purpose: .test)
    return (0..<count).map { areBoxes ? random.uniform() + ($0 % 4 > 1 ? 2 : 0) : random.normal() }
  }
}
