import Foundation

/// A `.safetensors` file: the length of its header, the header in JSON (a type, a shape and a stretch of bytes for each
/// tensor, and texts under `__metadata__`), then the tensors' bytes without gaps.
struct SafetensorsFile {
  /// Why a file can't be read, as the end of a sentence.
  struct Failure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  let weights: WeightArrays
  let metadata: [String: String]

  /// The format's own limit for the header.
  private static let maximumHeader = 100_000_000

  /// Whether the bytes begin like one: a length that fits the file, and a brace.
  static func isSafetensors(_ bytes: [UInt8]) -> Bool {
    bytes.count > 8 && bytes[8] == UInt8(ascii: "{") && headerLength(bytes).map { $0 <= bytes.count - 8 } == true
  }

  /// - Throws: `Failure`.
  init(_ bytes: [UInt8]) throws {
    guard let length = Self.headerLength(bytes), length <= min(bytes.count - 8, Self.maximumHeader) else {
      throw Failure(
        "the safetensors file was cut off or is damaged: its header is longer than the file; fetch it again")
    }
    let header: Header
    do {
      header = try JSONDecoder().decode(Header.self, from: Data(bytes[8..<8 + length]))
    } catch {
      throw Failure(
        "the safetensors file is damaged: its header is not JSON of tensors with dtype, shape and data_offsets")
    }
    metadata = header.metadata
    weights = try Self.weights(header.tensors, bytes[(8 + length)...])
  }

  private static func headerLength(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 8 else { return nil }
    return Int(exactly: bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  private static func isBefore(_ a: (name: String, Header.Tensor), _ b: (name: String, Header.Tensor)) -> Bool {
    let ((first, last), (otherFirst, otherLast)) = (a.1.offsets, b.1.offsets)
    return (first, last, a.name) < (otherFirst, otherLast, b.name)
  }

  /// In the order of their places, which must follow each other from the beginning to the end.
  private static func weights(_ tensors: [(name: String, Header.Tensor)], _ data: ArraySlice<UInt8>) throws
    -> WeightArrays
  {
    var (weights, end) = (WeightArrays(), 0)
    for (name, tensor) in tensors.sorted(by: Self.isBefore) {
      let (first, last) = tensor.offsets
      guard first == end, last >= first, last <= data.count else {
        throw Failure("the safetensors file is damaged: '\(name)' doesn't begin where the tensor before it ends")
      }
      end = last
      guard let format = NumberFormat(safetensors: tensor.dtype) else {
        weights.passedOver.append("\(name) of type \(tensor.dtype)")
        continue
      }
      guard tensor.byteCount(format.size) == last - first else {
        throw Failure("the safetensors file is damaged: '\(name)' of shape \(tensor.shape) has \(last - first) bytes")
      }
      let start = data.startIndex
      weights.append(name, shape: tensor.shape, format, data[start + first..<start + last])
    }
    guard end == data.count else {
      throw Failure(
        "the safetensors file was cut off or is damaged: its tensors take \(end) of \(data.count) bytes; fetch it again"
      )
    }
    return weights
  }
}

/// The header, whose keys are the tensors' names.
private struct Header: Decodable {
  struct Tensor: Decodable {
    let dtype: String
    let shape: [Int]
    let offsets: (Int, Int)

    private enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      dtype = try container.decode(String.self, forKey: .dtype)
      shape = try container.decode([Int].self, forKey: .shape)
      let numbers = try container.decode([Int].self, forKey: .offsets)
      guard numbers.count == 2, numbers[0] >= 0, shape.allSatisfy({ $0 >= 0 }), shape.count <= 64 else {
        throw DecodingError.dataCorruptedError(forKey: .offsets, in: container, debugDescription: "no offsets")
      }
      offsets = (numbers[0], numbers[1])
    }

    /// nil where it is more than can be counted.
    func byteCount(_ size: Int) -> Int? {
      if shape.contains(0) { return 0 }
      return shape.reduce(Optional(size)) { product, length in
        guard let (product, isTooLarge) = product?.multipliedReportingOverflow(by: length), !isTooLarge else {
          return nil
        }
        return product
      }
    }
  }

  struct Name: CodingKey {
    let stringValue: String
    init(stringValue: String) { self.stringValue = stringValue }
    var intValue: Int? { nil }
    init?(intValue: Int) { nil }
  }

  var metadata: [String: String] = [:]
  var tensors: [(name: String, Tensor)] = []

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    for key in container.allKeys {
      if key.stringValue == "__metadata__" {
        metadata = try container.decode([String: String].self, forKey: key)
      } else {
        tensors.append((key.stringValue, try container.decode(Tensor.self, forKey: key)))
      }
    }
  }
}
