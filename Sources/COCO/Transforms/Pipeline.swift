import Primitives

/// What a pipeline does to the geometry of one image: known from its size and the draws, without its pixels.
public struct Geometry: Equatable, Sendable {
  /// The size after Resize.
  public var imgShape: ImageSize
  /// The size after Pad.
  public var padShape: ImageSize
  /// Resized over original width and height.
  public var scaleFactor: ScaleFactor
  /// nil if not flipped.
  public var flip: FlipDirection?
}

public struct ScaleFactor: Equatable, Sendable {
  public var width: Float
  public var height: Float
}

/// What the random draws of a pipeline depend on, besides the image's id.
public struct DrawKey: Equatable, Sendable {
  public var seed: UInt64
  public var epoch: Int
  /// 0; another number for an image that comes once more in an epoch, so that it isn't a copy.
  public var draw: Int

  public init(seed: UInt64, epoch: Int, draw: Int = 0) { (self.seed, self.epoch, self.draw) = (seed, epoch, draw) }

  /// The same with another draw.
  func with(draw: Int) -> DrawKey { DrawKey(seed: seed, epoch: epoch, draw: draw) }

  fileprivate func random(_ purpose: KeyedRandom.Purpose, image: Int64) -> KeyedRandom {
    KeyedRandom(seed: seed, purpose: purpose, epoch: epoch, item: image, draw: draw)
  }
}

/// A checked `pipeline` list: Resize, RandomFlip, Normalize, Pad, each at most once and in this order, and before them
/// perhaps that pictures are loaded as floats.
public struct Pipeline: Sendable {
  private let steps: [PipelineStep]
  private let normalize: Normalize
  private let scalesDecode: Bool

  /// - Parameters:
  ///   - steps: each at most once, in the order that the type names.
  ///   - scalesDecode: whether a JPEG that Resize makes less than half as large is decoded at 1/2, 1/4 or 1/8, which
  ///     costs less and aliases less, but gives other pixels than mmdetection's.
  /// - Throws: `COCOError` naming the step that has an impossible option or stands in the wrong place.
  public init(_ steps: [PipelineStep], scalesDecode: Bool = false) throws {
    for (step, next) in zip(steps, steps.dropFirst()) where step.rank >= next.rank {
      throw COCOError(
        .badConfiguration, at: "pipeline",
        "'\(next.name)' comes after '\(step.name)'; Resize, RandomFlip, Normalize and Pad are expected once each and in "
          + "this order")
    }
    for step in steps {
      if let fault = step.fault { throw COCOError(.badConfiguration, at: "pipeline", "'\(step.name)': \(fault)") }
    }
    self.steps = steps
    self.scalesDecode = scalesDecode
    normalize =
      steps.lazy.compactMap(\.normalize).first
      ?? Normalize(mean: [0, 0, 0], std: [1, 1, 1], toRGB: false)
  }

  /// The sizes and the flip of an image, drawn from the key and the image id and nothing else.
  public func geometry(of size: ImageSize, imageID: Int64, key: DrawKey) -> Geometry {
    var geometry = Geometry(
      imgShape: size, padShape: size, scaleFactor: ScaleFactor(width: 1, height: 1), flip: nil)
    for step in steps {
      switch step {
      case .resize(let scales, let mode, let keepRatio, _):
        var random = key.random(.scale, image: imageID)
        let scale = mode.draw(from: scales, &random)
        geometry.imgShape =
          keepRatio ? size.rescaled(within: scale) : ImageSize(height: scale.height, width: scale.width)
        geometry.padShape = geometry.imgShape
        geometry.scaleFactor = ScaleFactor(
          width: Float(Double(geometry.imgShape.width) / Double(size.width)),
          height: Float(Double(geometry.imgShape.height) / Double(size.height)))
      case .randomFlip(let chances):
        var random = key.random(.flip, image: imageID)
        geometry.flip = chances.direction(at: random.uniform())
      case .loadAsFloats, .normalize: break
      case .pad(let divisor): geometry.padShape = geometry.imgShape.padded(to: divisor)
      }
    }
    return geometry
  }

  /// An image's boxes as the pipeline leaves them.
  package func boxes(of image: CocoDataset.Image, _ geometry: Geometry) -> [Box] {
    image.boxes.map { transform($0, geometry) }
  }

  /// Applies the pipeline to a picture and the boxes of its entry in the data set.
  public func apply(_ picture: DecodedImage, _ image: CocoDataset.Image, key: DrawKey) -> Sample {
    apply(picture, image, key: key, PixelPool())
  }

  /// The same with the memory of other pictures; the picture's own goes to the pool if it is not needed any more.
  package func apply(
    _ picture: DecodedImage, _ image: CocoDataset.Image, key: DrawKey, _ pool: PixelPool
  ) -> Sample {
    let geometry = geometry(of: picture.fullSize, imageID: image.id, key: key)
    // Floats would need four times the memory, so they are made of the bytes while a batch is written.
    let resized = steps.contains(.loadAsFloats) ? picture : Resize.linear(picture, to: geometry.imgShape, pool)
    if picture.size != resized.size { pool.give(picture.pixels) }
    return Sample(
      imageID: image.id, draw: key.draw, oriSize: image.size, geometry: geometry,
      boxes: boxes(of: image, geometry), labels: image.labels,
      ignored: image.ignored.map { transform($0, geometry) },
      proposals: image.proposals.map { transform($0, geometry) }, picture: resized, normalize: normalize)
  }

  /// The upright size that the decoded picture must have at least, or nil where it must have its own.
  func decodedSize(of image: CocoDataset.Image, key: DrawKey) -> ImageSize? {
    scalesDecode ? geometry(of: image.size, imageID: image.id, key: key).imgShape : nil
  }

  private func transform(_ box: Box, _ geometry: Geometry) -> Box {
    var box = box.scaled(x: geometry.scaleFactor.width, y: geometry.scaleFactor.height)
    if steps.contains(where: \.clipsBoxes) { box = box.clipped(to: geometry.imgShape) }
    return geometry.flip?.flip(box, in: geometry.imgShape) ?? box
  }
}

extension Box {
  fileprivate func clipped(to size: ImageSize) -> Box {
    let (width, height) = (Float(size.width), Float(size.height))
    return Box(
      min(max(x1, 0), width), min(max(y1, 0), height), min(max(x2, 0), width), min(max(y2, 0), height))
  }
}

extension MultiscaleMode {
  /// `value`: one of the scales. `range`: a long and a short edge, each uniform between those of two scales.
  fileprivate func draw(from scales: [ImageScale], _ random: inout KeyedRandom) -> ImageScale {
    guard scales.count > 1 else { return scales[0] }
    if self == .value { return scales[random.below(scales.count)] }
    let longEdges = scales.map { max($0.width, $0.height) }.sorted()
    let shortEdges = scales.map { min($0.width, $0.height) }.sorted()
    return ImageScale(
      width: longEdges[0] + random.below(longEdges[1] - longEdges[0] + 1),
      height: shortEdges[0] + random.below(shortEdges[1] - shortEdges[0] + 1))
  }
}

extension [FlipChance] {
  /// The directions share the beginning of 0 ..< 1, each a stretch as long as its ratio.
  fileprivate func direction(at draw: Float) -> FlipDirection? {
    var end: Float = 0
    for chance in self {
      end += chance.ratio
      if draw < end { return chance.direction }
    }
    return nil
  }
}

extension PipelineStep {
  fileprivate var rank: Int {
    switch self {
    case .loadAsFloats: 0
    case .resize: 1
    case .randomFlip: 2
    case .normalize: 3
    case .pad: 4
    }
  }

  fileprivate var name: String { ["LoadImageFromFile", "Resize", "RandomFlip", "Normalize", "Pad"][rank] }

  fileprivate var clipsBoxes: Bool {
    if case .resize(_, _, _, let clipsBoxes) = self { clipsBoxes } else { false }
  }

  fileprivate var normalize: Normalize? {
    if case .normalize(let mean, let std, let toRGB) = self {
      Normalize(mean: mean, std: std, toRGB: toRGB)
    } else {
      nil
    }
  }

  /// What is impossible about the step's options, or nil.
  fileprivate var fault: String? {
    switch self {
    case .loadAsFloats: return nil
    case .resize(let scales, let mode, _, _):
      if scales.isEmpty || scales.contains(where: { min($0.width, $0.height) < 1 }) {
        return "img_scale needs positive sizes"
      }
      return mode == .range && scales.count != 2 ? "multiscale_mode 'range' needs two img_scale sizes" : nil
    case .randomFlip(let chances):
      let isPossible = chances.allSatisfy { $0.ratio >= 0 } && chances.reduce(0) { $0 + $1.ratio } <= 1 + 1e-6
      return isPossible ? nil : "the flip ratio must be between 0 and 1"
    case .normalize(let mean, let std, _):
      if mean.count != 3 || std.count != 3 { return "mean and std need three numbers each" }
      return std.allSatisfy { $0 > 0 } ? nil : "std must be positive"
    case .pad(let divisor): return divisor > 0 ? nil : "size_divisor must be positive"
    }
  }
}
