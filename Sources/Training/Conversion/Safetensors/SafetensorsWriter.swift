import Foundation

/// Makes the bytes of a `.safetensors` file.
enum SafetensorsWriter {
  private struct Entry: Encodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    private enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  static func image(_ tensors: [StoredTensor], metadata: [String: String]) throws -> [UInt8] {
    var (header, end) = ("{\"__metadata__\":\(try json(metadata))", 0)
    var data: [UInt8] = []
    // Those of 8 bytes first, so that every number stands at a multiple of its size.
    for tensor in tensors.filter(\.isWide) + tensors.filter({ !$0.isWide }) {
      let bytes = tensor.bytes
      let entry = Entry(dtype: tensor.dtype, shape: tensor.shape, offsets: [end, end + bytes.count])
      header += ",\(try json(tensor.name)):\(try json(entry))"
      data += bytes
      end += bytes.count
    }
    var head = Array("\(header)}".utf8)
    head += repeatElement(UInt8(ascii: " "), count: (8 - head.count % 8) % 8)
    return withUnsafeBytes(of: UInt64(head.count).littleEndian) { Array($0) } + head + data
  }

  private static func json<Value: Encodable>(_ value: Value) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
