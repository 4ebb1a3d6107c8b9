import Detection
import Primitives
import TestSupport
import Testing

@Suite struct DeltaXYWHBBoxCoderTests {
  @Test(arguments: ["coder", "legacy2"]) func encodesAsMMDetection(_ file: String) throws {
    let cases = try GoldenCase.all(file).filter { $0.string("fn") == "encode" }
    #expect(cases.count == (file == "coder" ? 6 : 3))
    for golden in cases {
      let coder = DeltaXYWHBBoxCoder(try golden.settings().coder)
      let deltas = coder.encode(try golden.boxes("inputs/bboxes"), gtBoxes: try golden.boxes("inputs/gt_bboxes"))
      expectClose(deltas, try golden.floats("expected/deltas"), absolute: 1e-5, relative: 1e-6, golden.description)
    }
  }

  @Test(arguments: ["coder", "legacy2"]) func decodesAndDifferentiatesAsMMDetection(_ file: String) throws {
    let cases = try GoldenCase.all(file).filter { $0.string("fn") == "decode" }
    #expect(file == "coder" ? cases.count == 29 : !cases.isEmpty)
    for golden in cases {
      let images = try golden.shape("inputs/bboxes").count == 3 ? 2 : 1
      for image in 0..<images { try checkDecode(golden, image, of: images) }
    }
  }

  private func checkDecode(_ golden: GoldenCase, _ image: Int, of images: Int) throws {
    func part<Element>(_ values: [Element]) -> [Element] {
      Array(values[image * values.count / images..<(image + 1) * values.count / images])
    }
    let coder = DeltaXYWHBBoxCoder(try golden.settings().coder)
    let boxes = part(try golden.boxes("inputs/bboxes"))
    let deltas = part(try golden.floats("inputs/deltas"))
    let clip = try #require(golden.number("wh_ratio_clip"))
    let maxShape = golden.flag("has_max_shape") == true ? try maxShape(golden, image) : nil
    let decoded = coder.decode(boxes, deltas: deltas, maxShape: maxShape, whRatioClip: clip)
    expectClose(
      coordinates(decoded), part(try golden.floats("expected/bboxes")), absolute: 1e-4, relative: 1e-5,
      golden.description)
    let gradients = coder.decodeGradient(
      boxes, deltas: deltas,
      boxGradients: part(try golden.floats(golden.has("inputs/cotangent") ? "inputs/cotangent" : "inputs/grad_output")),
      maxShape: maxShape,
      whRatioClip: clip)
    expectClose(
      gradients, part(try golden.floats("expected/grad_deltas")), absolute: 1e-4, relative: 1e-5, "\(golden) gradient")
  }

  private func maxShape(_ golden: GoldenCase, _ image: Int) throws -> ImageSize {
    if let shape = golden.numbers("max_shape") { return ImageSize(height: Int(shape[0]), width: Int(shape[1])) }
    let (values, shape) = (try golden.integers("inputs/max_shape"), try golden.shape("inputs/max_shape"))
    let start = shape.count == 2 ? image * shape[1] : 0
    return ImageSize(height: values[start], width: values[start + 1])
  }

  @Test func decodingUndoesEncoding() {
    var configuration = DeltaXYWHBBoxCoderConfiguration()
    configuration.targetMeans = [0.1, -0.2, 0.3, 0]
    configuration.targetStds = [0.1, 0.1, 0.2, 0.2]
    let coder = DeltaXYWHBBoxCoder(configuration)
    let boxes = [Box(3, 4, 20, 31), Box(0, 0, 5, 5)]
    let gts = [Box(1, 6, 25, 28), Box(2, -3, 9, 4)]
    let decoded = coder.decode(boxes, deltas: coder.encode(boxes, gtBoxes: gts), maxShape: nil)
    expectClose(coordinates(decoded), coordinates(gts), absolute: 1e-4, "decode(encode)")
  }

  /// A NaN that became a coordinate of 0 would hide that training has diverged.
  @Test(arguments: [true, false]) func notANumberStaysOne(_ clips: Bool) {
    let coder = DeltaXYWHBBoxCoder(DeltaXYWHBBoxCoderConfiguration(clipBorder: clips))
    let size = ImageSize(height: 50, width: 40)
    let box = Box(2, 2, 12, 22)
    for axis in 0..<4 {
      var deltas: [Float] = [0, 0, 0, 0]
      deltas[axis] = -Float.nan
      let decoded = coder.decode([box], deltas: deltas, maxShape: size)[0]
      let isX = axis % 2 == 0
      #expect(decoded.x1.isNaN == isX && decoded.x2.isNaN == isX && decoded.y1.isNaN != isX && decoded.y2.isNaN != isX)
    }
    let far = coder.decode([box], deltas: [9, -9, 0, 0], maxShape: size)[0]
    #expect(far == (clips ? Box(40, 0, 40, 0) : Box(92, -178, 102, -158)))
  }

  /// Sides are one longer, and boxes end one before the edge; its gradient is that of its decoding.
  @Test func legacyBoxesNameTheirLastPixel() {
    var configuration = DeltaXYWHBBoxCoderConfiguration()
    configuration.isLegacy = true
    let coder = DeltaXYWHBBoxCoder(configuration)
    let (boxes, gtBoxes) = ([Box(0, 0, 9, 19)], [Box(5, 10, 14, 49)])
    let deltas = coder.encode(boxes, gtBoxes: gtBoxes)
    // (9.5 - 4.5) / 10, (29.5 - 9.5) / 20, log(10 / 10), log(40 / 20)
    expectClose(deltas, [0.5, 1, 0, 0.693147], absolute: 1e-6, "deltas")
    let decoded = coder.decode(boxes, deltas: deltas, maxShape: nil)
    expectClose(
      [decoded[0].x1, decoded[0].y1, decoded[0].x2, decoded[0].y2], [4.5, 9.5, 14.5, 49.5], absolute: 1e-4, "box")
    let clipped = coder.decode(boxes, deltas: [2, 3, 1, 1], maxShape: ImageSize(height: 40, width: 30))
    #expect(clipped[0].x2 == 29 && clipped[0].y2 == 39)
    for axis in 0..<4 {
      var (up, down) = (deltas, deltas)
      up[axis] += 0.01
      down[axis] -= 0.01
      let boxGradients: [Float] = [1, -2, 0.5, 3]
      func value(_ deltas: [Float]) -> Float {
        let box = coder.decode(boxes, deltas: deltas, maxShape: nil)[0]
        return box.x1 - 2 * box.y1 + 0.5 * box.x2 + 3 * box.y2
      }
      let gradient = coder.decodeGradient(boxes, deltas: deltas, boxGradients: boxGradients)[axis]
      expectClose([gradient], [(value(up) - value(down)) / 0.02], absolute: 0.02, "\(axis)")
    }
  }
}
