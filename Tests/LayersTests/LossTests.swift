import Kernels
import Layers
import Tensors
import TestSupport
import Testing

@Suite struct LossTests {
  @Test func agreesWithTheReference() throws {
    let cases = try GoldenCase.all("losses")
    #expect(cases.count == 115)
    for golden in cases { try check(golden) }
  }

  private func check(_ golden: GoldenCase) throws {
    let engine = Engine(threads: 1)
    engine.tape = Tape()
    let prediction = Tensor(
      try golden.shape("inputs/pred"), try golden.floats("inputs/pred"), on: engine, needsGradient: true)
    if golden.string("fn") == "accuracy" { return try checkAccuracy(golden, prediction) }

    let loss = try #require(try loss(golden, prediction), "nothing tests \(golden)")
    expectClose(
      loss.array, try golden.floats("expected/loss"), absolute: 1e-7, relative: 1e-5, "\(golden)")
    if golden.has("inputs/grad_output") {
      let target = loss.gradientSlot.toAddTo()
      for (i, value) in try golden.floats("inputs/grad_output").enumerated() { target[i] = value }
      try engine.tape!.backward(from: Tensor([1], on: engine))
    } else {
      try engine.tape!.backward(from: loss)
    }
    let gradient = try #require(prediction.gradientArray)
    expectCloseToMaximum(gradient, try golden.floats("expected/grad_pred"), 1e-5, "\(golden) gradient")
  }

  private func checkAccuracy(_ golden: GoldenCase, _ scores: Tensor) throws {
    let values = accuracy(
      of: scores, labels: try golden.integers("inputs/target"), topK: golden.numbers("topk")!.map { Int($0) },
      threshold: golden.flag("has_thresh")! ? Float(golden.number("thresh")!) : nil)
    expectClose(values, try golden.floats("expected/acc"), relative: 1e-6, "\(golden)")
  }

  private func loss(_ golden: GoldenCase, _ prediction: Tensor) throws -> Tensor? {
    let weights = golden.flag("has_weight")! ? try golden.floats("inputs/weight") : nil
    let average = golden.flag("has_avg_factor")! ? Float(golden.number("avg_factor")!) : nil
    let reduction = LossReduction(rawValue: golden.string("reduction") ?? "mean")!
    let override = LossReduction(rawValue: golden.string("reduction_override")!).flatMap {
      golden.string("reduction_override") == "None" ? nil : $0
    }
    let lossWeight = Float(golden.number("loss_weight") ?? 1)
    func targets() throws -> [Float] { try golden.floats("inputs/target") }
    func labels() throws -> [Int] { try golden.integers("inputs/target") }

    switch golden.string("loss_type") {
    case "CrossEntropyLoss":
      var loss = CrossEntropyLoss()
      (loss.reduction, loss.lossWeight, loss.useSigmoid) = (reduction, lossWeight, golden.flag("use_sigmoid")!)
      loss.classWeight = golden.numbers("class_weight")?.map { Float($0) }
      return try golden.shape("inputs/target").count == 2
        ? loss(prediction, targets: targets(), weights: weights, averageFactor: average, reduction: override)
        : loss(prediction, labels: labels(), weights: weights, averageFactor: average, reduction: override)
    case "FocalLoss":
      var loss = FocalLoss()
      (loss.alpha, loss.gamma) = (golden.number("alpha")!, golden.number("gamma")!)
      (loss.reduction, loss.lossWeight) = (reduction, lossWeight)
      return try loss(prediction, labels: labels(), weights: weights, averageFactor: average, reduction: override)
    case "L1Loss":
      var loss = L1Loss()
      (loss.reduction, loss.lossWeight) = (reduction, lossWeight)
      return try loss(prediction, targets: targets(), weights: weights, averageFactor: average, reduction: override)
    case "SmoothL1Loss":
      var loss = SmoothL1Loss()
      (loss.reduction, loss.lossWeight, loss.beta) = (reduction, lossWeight, Float(golden.number("beta")!))
      return try loss(prediction, targets: targets(), weights: weights, averageFactor: average, reduction: override)
    case "MSELoss":
      var loss = MSELoss()
      (loss.reduction, loss.lossWeight) = (reduction, lossWeight)
      return try loss(prediction, targets: targets(), weights: weights, averageFactor: average)
    case let type:
      guard let kind = boxLoss(type, linear: golden.flag("linear") ?? false) else { return nil }
      var loss = IoULoss(kind, eps: kind.parts == 4 ? 1e-3 : 1e-6)
      (loss.reduction, loss.lossWeight) = (reduction, lossWeight)
      return try loss(prediction, targets: targets(), weights: weights, averageFactor: average, reduction: override)
    }
  }

  private func boxLoss(_ type: String?, linear: Bool) -> BoxLoss? {
    switch type {
    case "IoULoss": .iou(linear: linear)
    case "GIoULoss": .giou
    case "DIoULoss": .diou
    case "CIoULoss": .ciou
    case "BoundedIoULoss": .boundedIoU(beta: 0.2)
    default: nil
    }
  }
}
