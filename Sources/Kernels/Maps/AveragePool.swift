/// The mean over all pixels of each image: maps `[images, pixels, channels]`, means `[images, channels]`.
public enum AveragePool {
  /// Writes `y`.
  public static func forward(_ x: Floats, into y: Floats, _ size: MapSize, _ workers: Workers) {
    let (pixels, channels) = (size.pixels, size.channels)
    workers.run(over: size.images, grain: 8) { images in
      for image in images {
        let (source, target) = (x + image * pixels * channels, y + image * channels)
        target.update(repeating: 0, count: channels)
        for pixel in 0..<pixels {
          for c in 0..<channels { target[c] += source[pixel * channels + c] }
        }
        for c in 0..<channels { target[c] /= Float(pixels) }
      }
    }
  }

  /// Adds `dy / pixels` to each pixel of `dx`.
  public static func backward(_ dy: Floats, addingTo dx: Floats, _ size: MapSize, _ workers: Workers) {
    let (pixels, channels) = (size.pixels, size.channels)
    workers.run(over: size.images, grain: 8) { images in
      for image in images {
        let (source, target) = (dy + image * channels, dx + image * pixels * channels)
        for pixel in 0..<pixels {
          for c in 0..<channels { target[pixel * channels + c] += source[c] / Float(pixels) }
        }
      }
    }
  }
}
