import COCO
import Primitives

/// A picture as the detector gets it, turned back into colours, with its boxes.
package struct BrowsedPicture {
  private let batch: Batch
  private let image: Batch.Image
  private let names: [String]
  private let ids: [Int64]

  /// - Parameters:
  ///   - batch: of one picture, in the size of the batch that it is in.
  ///   - names: how each class is called in drawn pictures.
  ///   - ids: the category of each class.
  package init(_ batch: Batch, names: [String], ids: [Int64]) {
    require(batch.images.count == 1, "a batch of one picture is shown, not of \(batch.images.count)")
    (self.batch, image, self.names, self.ids) = (batch, batch.images[0], names, ids)
  }

  /// So long is the longer side of what is shown.
  private static let longest = 480

  /// Small enough to be shown, with what is drawn on it.
  func drawing(undoing steps: [PipelineStep]) -> Drawing {
    let whole = picture(undoing: steps)
    let small = whole.shrunk(longest: Self.longest)
    let scale = (x: Float(small.width) / Float(whole.width), y: Float(small.height) / Float(whole.height))
    var drawing = Drawing(pixels: small.pixels, size: small.size, order: .bgr)
    // The smallest first: its frame lies over the others', and its caption has the first choice of places.
    let boxes = zip(image.gtBoxes, image.gtLabels).sorted { $0.0.area < $1.0.area }.map { box, label in
      DrawnBox(box: box.scaled(x: scale.x, y: scale.y), category: ids[label], name: names[label])
    }
    let ignored = image.gtIgnore.map {
      DrawnBox(box: $0.scaled(x: scale.x, y: scale.y), category: nil, name: "ignored", style: .groundTruth)
    }
    drawing.draw(boxes + ignored)
    return drawing
  }

  /// In bytes again: blue, green, red. What the pipeline has filled up is hatched, dark where the picture's own padding is
  /// and light where only the batch is larger.
  package func picture(undoing steps: [PipelineStep]) -> DecodedImage {
    let size = batch.size
    let values = batch.pixels
    var pixels = [UInt8](repeating: 0, count: values.count)
    let colors = UndoneNormalization(steps)
    for y in 0..<size.height {
      for x in 0..<size.width {
        let place = (y * size.width + x) * 3
        if y < image.imgShape.height, x < image.imgShape.width {
          for channel in 0..<3 {
            pixels[place + channel] = colors.byte(values, place: place, channel: channel)
          }
        } else {
          let isOwn = y < image.padShape.height && x < image.padShape.width
          let shade: UInt8 = (x + y) / 6 % 2 == 0 ? (isOwn ? 70 : 190) : (isOwn ? 100 : 215)
          for channel in 0..<3 { pixels[place + channel] = shade }
        }
      }
    }
    return DecodedImage(height: size.height, width: size.width, pixels: pixels)
  }
}

/// `Normalize` the other way round.
private struct UndoneNormalization {
  private var mean: [Double] = [0, 0, 0]
  private var std: [Double] = [1, 1, 1]
  private var swapsChannels = false

  init(_ steps: [PipelineStep]) {
    for case .normalize(let mean, let std, let toRGB) in steps {
      (self.mean, self.std, swapsChannels) = (mean, std, toRGB)
    }
  }

  /// A channel of blue, green, red.
  func byte(_ values: [Float], place: Int, channel: Int) -> UInt8 {
    let source = swapsChannels ? 2 - channel : channel
    let value = Double(values[place + source]) * std[source] + mean[source]
    return UInt8(min(max(value, 0), 255).rounded())
  }
}
