import Foundation
import Kernels
import Primitives
import Tensors
import TestSupport
import Testing

/// Operations on whole maps, against their formulas and by their gradients.
@Suite struct MapOperationTests {
  /// Sizes that divide each other, that don't, and one to itself.
  static let sizes: [(from: (Int, Int), to: (Int, Int))] = [
    ((8, 12), (4, 6)), ((7, 9), (4, 5)), ((5, 5), (5, 5)), ((9, 1), (2, 1)), ((4, 6), (1, 1)),
  ]

  @Test(arguments: sizes) func adaptiveMaxPool(_ from: (Int, Int), _ to: (Int, Int)) throws {
    let check = GradientCheck()
    var random = KeyedRandom(seed: 1, purpose: .test)
    let values = random.permutation(2 * from.0 * from.1 * 3).map { Float($0) }
    check.input([2, from.0, from.1, 3], values)
    let covector = check.numbers(2 * to.0 * to.1 * 3)
    let (output, gradients, _) = try check.run(gradient: covector) {
      $0[0].adaptiveMaxPool(height: to.0, width: to.1)
    }
    var (expected, gradient) = ([Float](), [Float](repeating: 0, count: values.count))
    for image in 0..<2 {
      for i in 0..<to.0 {
        for j in 0..<to.1 {
          let rows = i * from.0 / to.0..<Int((Double((i + 1) * from.0) / Double(to.0)).rounded(.up))
          let columns = j * from.1 / to.1..<Int((Double((j + 1) * from.1) / Double(to.1)).rounded(.up))
          for c in 0..<3 {
            let cells = rows.flatMap { h in columns.map { ((image * from.0 + h) * from.1 + $0) * 3 + c } }
            let largest = cells.max { values[$0] < values[$1] }!
            gradient[largest] += covector[expected.count]
            expected.append(values[largest])
          }
        }
      }
    }
    #expect(output == expected)
    // Windows overlap, and their shares are added in the order of the windows, channel by channel.
    #expect(gradients[0] == gradient)
  }

  @Test(arguments: sizes, [MapResizing.nearest, .bilinear(alignCorners: false), .bilinear(alignCorners: true)])
  func resizing(_ sizes: (from: (Int, Int), to: (Int, Int)), _ resizing: MapResizing) throws {
    let ((h, w), (height, width)) = (sizes.to, sizes.from)
    let check = GradientCheck()
    let values = check.numbers(2 * h * w * 3)
    check.input([2, h, w, 3], values)
    let output = try check.run(gradient: nil) { $0[0].resized(height: height, width: width, resizing) }.output
    // Of each axis the weights of the small map's cells, `[new cells, cells]`.
    func weights(_ new: Int, _ size: Int) -> [[Double]] {
      (0..<new).map { i in
        switch resizing {
        case .nearest: return (0..<size).map { $0 == i * size / new ? 1 : 0 }
        case .bilinear(let alignCorners):
          let place =
            alignCorners
            ? (new == 1 ? 0 : Double(i * (size - 1)) / Double(new - 1))
            : min(max(0, (Double(i) + 0.5) * Double(size) / Double(new) - 0.5), Double(size - 1))
          return (0..<size).map { max(0, 1 - abs(Double($0) - place)) }
        }
      }
    }
    let (down, across) = (weights(height, h), weights(width, w))
    var expected: [Float] = []
    for image in 0..<2 {
      for i in 0..<height {
        for j in 0..<width {
          for c in 0..<3 {
            var sum = 0.0
            for y in 0..<h {
              for x in 0..<w { sum += down[i][y] * across[j][x] * Double(values[((image * h + y) * w + x) * 3 + c]) }
            }
            expected.append(Float(sum))
          }
        }
      }
    }
    expectClose(output, expected, absolute: 1e-6)
    try check.check(step: 1) { $0[0].resized(height: height, width: width, resizing) }
  }

  @Test func sumsAndMapsSideBySide() throws {
    let check = GradientCheck()
    let maps = (0..<3).map { _ in check.numbers(2 * 5 * 7 * 9) }
    for map in maps { check.input([2, 5, 7, 9], map) }
    let sum = try check.run(gradient: nil) { Tensor.sum(ofMaps: $0, scale: 0.25) }.output
    expectClose(sum, maps[0].indices.map { 0.25 * (maps[0][$0] + maps[1][$0] + maps[2][$0]) }, absolute: 1e-6)
    try check.check(step: 1) { Tensor.sum(ofMaps: $0, scale: 0.25) }
    // The same map twice gets both gradients.
    try check.check(step: 1) { Tensor.sum(ofMaps: [$0[0], $0[1], $0[0], $0[2]], scale: 0.5) }

    let wide = GradientCheck()
    let (a, b) = (wide.numbers(6 * 2), wide.numbers(6 * 3))
    wide.input([1, 2, 3, 2], a)
    wide.input([1, 2, 3, 3], b)
    let beside = try wide.run(gradient: nil) { Tensor.concatenated($0) }.output
    let rows: [[Float]] = (0..<6).map { i in
      let (first, second) = (Array(a[2 * i..<2 * i + 2]), Array(b[3 * i..<3 * i + 3]))
      return first + second
    }
    #expect(beside == rows.flatMap { $0 })
    try wide.check(step: 1) { Tensor.concatenated($0) }
  }

  /// More cells than a block of rows has, in two images.
  @Test(arguments: [(3, 4), (9, 13)]) func attention(_ height: Int, _ width: Int) throws {
    let check = GradientCheck()
    let (positions, channels, outputs) = (height * width, 5, 7)
    let (q, k) = (check.numbers(2 * positions * channels), check.numbers(2 * positions * channels))
    let v = check.numbers(2 * positions * outputs)
    check.input([2, height, width, channels], q)
    check.input([2, height, width, channels], k)
    check.input([2, height, width, outputs], v)
    let output = try check.run(gradient: nil) { Tensor.attention(queries: $0[0], keys: $0[1], values: $0[2]) }.output
    var expected: [Float] = []
    for row in 0..<2 * positions {
      let first = row / positions * positions
      let weights = (first..<first + positions).map { key in
        exp((0..<channels).reduce(0.0) { $0 + Double(q[row * channels + $1]) * Double(k[key * channels + $1]) })
      }
      for c in 0..<outputs {
        let sum = weights.indices.reduce(0.0) { $0 + weights[$1] * Double(v[(first + $1) * outputs + c]) }
        expected.append(Float(sum / weights.reduce(0, +)))
      }
    }
    expectClose(output, expected, absolute: 2e-6)
    try check.check(step: 0.25) { Tensor.attention(queries: $0[0], keys: $0[1], values: $0[2]) }
  }

  @Test func attentionHasTheSameBitsOnOneThreadAndTwo() throws {
    let check = GradientCheck()
    for channels in [4, 4, 6] { check.input([2, 9, 17, channels]) }
    let covector = check.numbers(2 * 9 * 17 * 6)
    let results = try [1, 2].map { threads in
      try check.run(threads: threads, gradient: covector) {
        Tensor.attention(queries: $0[0], keys: $0[1], values: $0[2])
      }
    }
    #expect(results[0].output == results[1].output && results[0].inputs == results[1].inputs)
  }
}
