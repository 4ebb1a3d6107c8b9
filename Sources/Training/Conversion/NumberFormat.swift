/// The formats in which weight files keep numbers, and how each becomes a float.
enum NumberFormat {
  case float, double, half, bfloat16, int64, int32, int16, int8, uint8, bool

  /// In bytes.
  var size: Int {
    switch self {
    case .double, .int64: 8
    case .float, .int32: 4
    case .half, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// Whether each of its numbers is a float. (Whole numbers of 32 bits and more stand in no array of weights.)
  var widensExactly: Bool { self != .double && self != .int64 && self != .int32 }

  /// The numbers of little-endian bytes. 16-bit floats keep their bits, those of NaN too; float64 is rounded.
  func floats(_ bytes: ArraySlice<UInt8>) -> [Float] {
    switch self {
    case .float: read(bytes, UInt32.self) { Float(bitPattern: $0) }
    case .double: read(bytes, UInt64.self) { Float(Double(bitPattern: $0)) }
    case .half: read(bytes, UInt16.self, Self.widened)
    case .bfloat16: read(bytes, UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .int64: read(bytes, Int64.self) { Float($0) }
    case .int32: read(bytes, Int32.self) { Float($0) }
    case .int16: read(bytes, Int16.self) { Float($0) }
    case .int8: read(bytes, Int8.self) { Float($0) }
    case .uint8: read(bytes, UInt8.self) { Float($0) }
    case .bool: read(bytes, UInt8.self) { $0 == 0 ? 0 : 1 }
    }
  }

  private func read<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: ArraySlice<UInt8>, _ type: Bits.Type, _ number: (Bits) -> Float
  ) -> [Float] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / size).map { number(Bits(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * size, as: type))) }
    }
  }

  /// float16 as float32. A processor would make a signalling NaN a quiet one.
  private static func widened(_ bits: UInt16) -> Float {
    guard bits & 0x7c00 == 0x7c00 else { return Float(Float16(bitPattern: bits)) }
    return Float(bitPattern: UInt32(bits & 0x8000) << 16 | 0x7f80_0000 | UInt32(bits & 0x3ff) << 13)
  }
}

extension NumberFormat {
  /// From the name of one of PyTorch's storages; nil for those that hold no plain numbers.
  init?(torch name: String) {
    switch name {
    case "torch.FloatStorage": self = .float
    case "torch.DoubleStorage": self = .double
    case "torch.HalfStorage": self = .half
    case "torch.BFloat16Storage": self = .bfloat16
    case "torch.LongStorage": self = .int64
    case "torch.IntStorage": self = .int32
    case "torch.ShortStorage": self = .int16
    case "torch.CharStorage": self = .int8
    case "torch.ByteStorage": self = .uint8
    case "torch.BoolStorage": self = .bool
    default: return nil
    }
  }

  /// From a `dtype` of safetensors; nil for those that no weights have (8-bit floats, unsigned numbers).
  init?(safetensors name: String) {
    switch name {
    case "F32": self = .float
    case "F64": self = .double
    case "F16": self = .half
    case "BF16": self = .bfloat16
    case "I64": self = .int64
    case "I32": self = .int32
    case "I16": self = .int16
    case "I8": self = .int8
    case "U8": self = .uint8
    case "BOOL": self = .bool
    default: return nil
    }
  }
}
