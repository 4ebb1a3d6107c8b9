import Detection
import Kernels
import Layers
import Primitives
import Tensors
import Testing

/// A detector's forward and backward pass in memory that is filled with NaN as soon as it is free. Whoever reads a map
/// after letting it go, or memory that nobody wrote, changes a number.
@Suite struct FreeMemoryTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let layer: SingleRoIExtractorConfiguration.Layer
    let norm: NormConfiguration
    let neckNorm: NormConfiguration?
    let normEval: Bool
    var variant = ResNetConfiguration.Variant.resNet
    var convolution = ConvolutionConfiguration.conv2D
    var testDescription: String { "\(layer), \(norm), norm_eval \(normEval), \(variant), \(convolution)" }
  }

  static let cases: [Case] = [
    Case(layer: .pool, norm: .batch(requiresGrad: true), neckNorm: nil, normEval: true),
    Case(layer: .align, norm: .batch(requiresGrad: true), neckNorm: .batch(requiresGrad: true), normEval: false),
    Case(
      layer: .pool, norm: .group(groups: 4, requiresGrad: true), neckNorm: .group(groups: 4, requiresGrad: true),
      normEval: false),
    Case(layer: .align, norm: .batch(requiresGrad: false), neckNorm: nil, normEval: true),
    Case(
      layer: .align, norm: .group(groups: 4, requiresGrad: true), neckNorm: nil, normEval: false,
      variant: .resNeXt(groups: 2, baseWidth: 4), convolution: .convWS),
    Case(
      layer: .align, norm: .batch(requiresGrad: true), neckNorm: nil, normEval: true,
      variant: .resNeXt(groups: 4, baseWidth: 4), convolution: .convWS),
  ]

  @Test(arguments: cases, [false, true]) func nobodyReadsFreeMemory(_ parts: Case, recomputes: Bool) throws {
    // With statistics of the batch, computing again would move them twice; the reader of configurations refuses it.
    if recomputes, case .batch = parts.norm, !parts.normEval { return }
    let plain = try gradients(parts, recomputes: recomputes, marksFreeMemory: false)
    let marked = try gradients(parts, recomputes: recomputes, marksFreeMemory: true)
    #expect(plain.allSatisfy { $0.isFinite } && marked.allSatisfy { $0.isFinite })
    #expect(marked == plain)
    #expect(plain.count { $0 != 0 } > plain.count / 2)
  }

  private func gradients(_ parts: Case, recomputes: Bool, marksFreeMemory: Bool) throws -> [Float] {
    let (engine, store) = (Engine(threads: 2, marksFreeMemory: marksFreeMemory), ParameterStore())
    engine.tape = Tape()
    let network = network(parts, recomputes: recomputes, in: LayerScope(store: store))
    store.allocate(seed: 3)
    if parts.convolution == .convWS {
      // Standardised weights are large, and fixed statistics that know nothing of them would let the maps overflow.
      for norm in store.parameters where norm.shape.count == 1 && norm.name.hasSuffix(".weight") {
        norm.values.update(repeating: 0.05, count: norm.count)
      }
    }
    let slots = try forward(network, on: engine)
    let loss = Tensor([1], on: engine, needsGradient: true)
    engine.tape?.record(loss) {
      for (index, slot) in slots.enumerated() { Self.fill(slot, seed: UInt64(index)) }
    }
    try engine.tape?.backward(from: loss)
    return (0..<store.trainableCount).map { store.gradients[$0] }
  }

  private typealias Network = (Tensor, [RegionOfInterest]) throws -> [Tensor]

  private func network(_ parts: Case, recomputes: Bool, in scope: LayerScope) -> Network {
    var (resNet, fpn, rois) = (ResNetConfiguration(), FPNConfiguration(), SingleRoIExtractorConfiguration())
    (resNet.baseChannels, resNet.norm, resNet.normEval) = (8, parts.norm, parts.normEval)
    resNet.zeroInitResidual = false
    (resNet.variant, resNet.convolution) = (parts.variant, parts.convolution)
    (resNet.avgDown, resNet.deepStem) = (parts.convolution == .convWS, parts.convolution == .convWS)
    (fpn.inChannels, fpn.outChannels) = (resNet.levels.map(\.channels), 16)
    (fpn.addExtraConvs, fpn.norm) = (.onLateral, parts.neckNorm)
    (rois.layer, rois.outputHeight, rois.outputWidth, rois.outChannels) = (parts.layer, 3, 3, 16)
    var (head, layers) = (BBoxHeadConfiguration(), ConvFCConfiguration.shared2FC)
    layers.fcOutChannels = 32
    (head.layers, head.inChannels, head.roiFeatSize, head.numClasses) = (.convFC(layers), 16, 3, 4)
    let backbone = ResNet(resNet, in: scope.scope("backbone"), recomputing: recomputes ? [1, 3] : [])
    let neck = FPN(fpn, in: scope.scope("neck"))
    let extractor = SingleRoIExtractor(configuration: rois)
    let boxes = head.make(in: scope.scope("bbox_head"))
    return { images, regions in
      let levels = try neck(backbone(images))
      let output = try boxes(extractor(levels, regions: regions, on: images.engine), stretched: nil)
      return [output.scores, output.deltas].compactMap { $0 } + [levels[0], levels[4]]
    }
  }

  /// Lets go of all maps, as the detector does: only the tape and the outputs' gradients remain.
  private func forward(_ network: Network, on engine: Engine) throws -> [GradientSlot] {
    var random = KeyedRandom(seed: 1, purpose: .test)
    let images = Tensor([2, 96, 80, 3], (0..<2 * 96 * 80 * 3).map { _ in random.normal() }, on: engine)
    let regions = (0..<12).map { index in
      let (x, y, side) = (40 * random.uniform(), 50 * random.uniform(), 8 * Float(index + 1))
      return RegionOfInterest(image: index % 2, x1: x, y1: y, x2: min(x + side, 80), y2: min(y + side, 96))
    }
    return try network(images, regions).map(\.gradientSlot)
  }

  private static func fill(_ slot: GradientSlot, seed: UInt64) {
    var random = KeyedRandom(seed: seed, purpose: .test)
    let target = slot.toAddTo()
    for i in 0..<slot.count { target[i] += random.normal() }
  }
}
