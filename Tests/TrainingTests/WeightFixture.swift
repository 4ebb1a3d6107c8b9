import Foundation
import Training

/// Small files of weights that PyTorch 2.13, safetensors 0.6 and h5py wrote.
enum WeightFixture {
  static func bytes(_ name: String) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
    return [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
  }

  static func weights(_ name: String) throws -> (checkpoint: Checkpoint, notices: [String]) {
    try Checkpoint.weights(in: bytes(name), name: name)
  }

  /// Zeros, the smallest and largest numbers, infinities, and NaN of several kinds.
  static let floats: [UInt32] = [
    0x0000_0000, 0x8000_0000, 0x0000_0001, 0x807f_ffff, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x7f80_0001, 0xffc1_2345,
    0x3f80_0000, 0x7f7f_ffff, 0x0080_0000,
  ]
  /// 0, -0, 2⁻²⁴, -1023 · 2⁻²⁴, …, of float16.
  static let halves: [UInt32] = [
    0x0000_0000, 0x8000_0000, 0x3380_0000, 0xb87f_c000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x7f80_2000, 0xffa4_6000,
    0x3f80_0000, 0x477f_e000, 0x3880_0000,
  ]
  /// The upper halves of float32's bits.
  static let bfloats: [UInt32] = [
    0x0000, 0x8000, 0x0001, 0x807f, 0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffc1, 0x3f80, 0x7f7f, 0x0080,
  ].map { $0 << 16 }
}

extension Checkpoint {
  /// An array's bits.
  func bits(_ name: String) -> [UInt32] { model.first { $0.name == name }?.values.map(\.bitPattern) ?? [] }

  /// All arrays' shapes and bits, and the counts of batch norms.
  var contents: [String: [UInt64]] {
    var contents = model.reduce(into: [String: [UInt64]]()) { contents, array in
      contents[array.name] = array.shape.map { UInt64($0) } + array.values.map { UInt64($0.bitPattern) }
    }
    for (name, count) in batchCounts { contents[name] = [UInt64(count)] }
    return contents
  }
}
