import Kernels
import Layers
import Tensors
import TestSupport
import Testing

@Suite struct LossTests {
  @Test(arguments: [("losses", 115), ("losses2", 114)])
  func agreesWithTheReference(_ file: String, _ count: Int) throws {
    let cases = try GoldenCase.all(file)
    #expect(cases.count == count)
    for golden in cases { try check(golden) }
  }

  private func check(_ golden: GoldenCase) throws {
    let engine = Engine(threads: 1)
    engine.tape = Tape()
    let prediction = Tensor(
      try golden.shape("inputs/pred"), try golden.floats("inputs/pred"), on: engine, needsGradient: true)
    if golden.string("fn") == "accuracy" { return try checkAccuracy(golden, prediction) }

    let loss = try #require(try loss(golden, prediction), "nothing tests \(golden)")
    let (values, expected) = Self.comparable(loss.array, try golden.floats("expected/loss"))
    expectClose(values, expected, absolute: 1e-7, relative: 1e-5, "\(golden)")
    if golden.has("inputs/grad_output") {
      let target = loss.gradientSlot.toAddTo()
      for (i, value) in try golden.floats("inputs/grad_output").enumerated() { target[i] = value }
      try engine.tape!.backward(from: Tensor([1], on: engine))
    } else {
      // That of the sum.
      let target = loss.gradientSlot.toAddTo()
      for i in 0..<loss.count { target[i] = 1 }
      try engine.tape!.backward(from: Tensor([1], on: engine))
    }
    let gradient = try #require(prediction.gradientArray)
    let (slopes, expectedSlopes) = Self.comparable(gradient, try golden.floats("expected/grad_pred"))
    expectCloseToMaximum(slopes, expectedSlopes, 1e-5, "\(golden) gradient")
  }

  /// mmdetection's CIoU of a box without width and height is 0 / 0. Here it is finite, and the others are compared.
  private static func comparable(_ ours: [Float], _ theirs: [Float]) -> ([Float], [Float]) {
    #expect(ours.count == theirs.count && ours.allSatisfy(\.isFinite))
    let numbers = theirs.indices.filter { theirs[$0].isFinite }
    return (numbers.map { ours[$0] }, numbers.map { theirs[$0] })
  }

  /// The program logs top 1 alone.
  private func checkAccuracy(_ golden: GoldenCase, _ scores: Tensor) throws {
    let labels = try golden.integers("inputs/target")
    guard golden.numbers("topk")! == [1], !golden.flag("has_thresh")! else { return }
    let share = 100 * Float(correctCount(of: scores, labels: labels)) / Float(max(labels.count, 1))
    expectClose([share], try golden.floats("expected/acc"), relative: 1e-6, "\(golden)")
  }

  /// As mmdetection's `weight_reduce_loss`, on the losses that training runs: `mean` divides by the average factor or,
  /// without one, by the number of losses; `none` leaves them.
  private func loss(_ golden: GoldenCase, _ prediction: Tensor) throws -> Tensor? {
    guard let losses = try losses(golden, prediction) else { return nil }
    let override = golden.string("reduction_override")!
    let reduction = override == "None" ? golden.string("reduction") ?? "mean" : override
    let lossWeight = Float(golden.number("loss_weight") ?? 1)
    let average = golden.flag("has_avg_factor")! ? Float(golden.number("avg_factor")!) : Float(max(losses.count, 1))
    switch reduction {
    case "none": return losses.scaled(by: lossWeight)
    case "sum": return losses.sum(scale: lossWeight)
    case "mean": return losses.sum(scale: lossWeight / average)
    default: return nil
    }
  }

  private func losses(_ golden: GoldenCase, _ prediction: Tensor) throws -> Tensor? {
    let weights = golden.flag("has_weight")! ? try golden.floats("inputs/weight") : nil
    if let loss = try classificationLoss(golden) {
      // A target for each logit is a label for each of the logits as rows of one.
      let isDense = try golden.shape("inputs/target").count == 2
      let rows = isDense ? prediction.reshaped([prediction.count, 1]) : prediction
      let labels =
        isDense
        ? try golden.floats("inputs/target").map { $0 == 1 ? 0 : 1 } : try golden.integers("inputs/target")
      return loss.losses(rows, labels: labels, weights: weights ?? [Float](repeating: 1, count: labels.count))
    }
    return try regressionLoss(golden)?.losses(prediction, targets: golden.floats("inputs/target"), weights: weights)
  }

  private func classificationLoss(_ golden: GoldenCase) throws -> ClassificationLoss? {
    var loss: ClassificationLoss
    switch golden.string("loss_type") {
    case "CrossEntropyLoss": loss = ClassificationLoss(golden.flag("use_sigmoid")! ? .sigmoid : .softmax)
    case "FocalLoss":
      loss = ClassificationLoss(.focal(gamma: golden.number("gamma") ?? 2, alpha: golden.number("alpha") ?? 0.25))
    default: return nil
    }
    loss.classWeight = golden.numbers("class_weight")?.map { Float($0) }
    return loss
  }

  private func regressionLoss(_ golden: GoldenCase) throws -> BoxRegressionLoss? {
    switch golden.string("loss_type") {
    case "L1Loss": BoxRegressionLoss(.l1)
    case "SmoothL1Loss": BoxRegressionLoss(.smoothL1(beta: Float(golden.number("beta") ?? 1)))
    case "BalancedL1Loss":
      BoxRegressionLoss(
        .balancedL1(
          alpha: golden.number("alpha") ?? 0.5, gamma: golden.number("gamma") ?? 1.5, beta: golden.number("beta") ?? 1))
    case "MSELoss": BoxRegressionLoss(.mse)
    case "IoULoss": BoxRegressionLoss(.ofBoxes(.iou(linear: golden.flag("linear") ?? false), eps: 1e-6))
    case "GIoULoss": BoxRegressionLoss(.ofBoxes(.giou, eps: 1e-6))
    case "DIoULoss": BoxRegressionLoss(.ofBoxes(.diou, eps: 1e-6))
    case "CIoULoss": BoxRegressionLoss(.ofBoxes(.ciou, eps: 1e-6))
    case "BoundedIoULoss": BoxRegressionLoss(.ofBoxes(.boundedIoU(beta: 0.2), eps: 1e-3))
    default: nil
    }
  }
}

extension Tensor {
  /// `factor` times the values, with its way back.
  fileprivate func scaled(by factor: Float) -> Tensor {
    let output = Tensor(shape, array.map { factor * $0 }, on: engine, needsGradient: needsGradient)
    engine.tape?.record(output) { [self] in
      let sum = gradientSlot.toAddTo()
      for i in 0..<count { sum[i] += factor * output.gradientSlot.values[i] }
    }
    return output
  }
}
