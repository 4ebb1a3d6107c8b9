import Foundation

/// Messages with a type: what ranks tell each other besides sums.
extension World {
  /// Rank 0's message on all ranks; what the others give is ignored. Collective.
  /// - Throws: `MPIError`.
  public func shared<Message: Codable>(_ message: Message) throws -> Message {
    guard size > 1 else { return message }
    var bytes = rank == 0 ? Array(try JSONEncoder().encode(message)) : []
    try broadcast(&bytes)
    return try JSONDecoder().decode(Message.self, from: Data(bytes))
  }

  /// On rank 0 what each rank gave, which may differ in length, as plain values that are copied byte by byte; on other
  /// ranks nothing. Collective.
  /// - Throws: `MPIError`.
  public func gather<Value: BitwiseCopyable>(_ values: [Value]) throws -> [[Value]] {
    guard size > 1 else { return [values] }
    return try gather(values.withUnsafeBytes { Array($0) }).map { (bytes: [UInt8]) in
      bytes.withUnsafeBytes { bytes in
        (0..<bytes.count / MemoryLayout<Value>.stride).map { index in
          bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Value>.stride, as: Value.self)
        }
      }
    }
  }
}
