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

  /// On rank 0 the messages of all ranks; on other ranks nothing. Collective.
  /// - Throws: `MPIError`.
  public func gathered<Message: Codable>(_ message: Message) throws -> [Message] {
    guard size > 1 else { return [message] }
    return try gather(Array(JSONEncoder().encode(message))).map { (bytes: [UInt8]) in
      try JSONDecoder().decode(Message.self, from: Data(bytes))
    }
  }

  /// Whether all ranks gave the same number; the same answer on all. Collective.
  /// - Throws: `MPIError`.
  public func isSame(_ number: UInt64) throws -> Bool {
    var bounds = [number, ~number]
    try maximum(&bounds)
    // The largest is the smallest where all are equal.
    return bounds[0] == ~bounds[1]
  }

  /// On rank 0 the names of the hosts by rank; on other ranks nothing. Collective.
  /// - Throws: `MPIError`.
  public func hostNames() throws -> [String] { try gathered(ProcessInfo.processInfo.hostName) }

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
