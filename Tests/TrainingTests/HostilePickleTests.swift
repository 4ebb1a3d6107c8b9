import Foundation
import Testing
import Training

/// Files that PyTorch never writes, made to fill the memory, the stack or the time. They are in the older format, whose
/// pickles stand in the file as they are.
@Suite struct HostilePickleTests {
  private static let start: [UInt8] = [
    0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
  ]

  /// The sentence about a file whose third pickle is this.
  private func message(_ pickle: [UInt8]) throws -> String {
    let bytes = Self.start + Array("K\u{1}.}.".utf8) + pickle
    let error = try #require(throws: CheckpointError.self) { _ = try Checkpoint.weights(in: bytes, name: "w.pth") }
    return error.description
  }

  @Test func aMillionTuplesInEachOther() throws {
    #expect(try message([0x29] + [UInt8](repeating: 0x85, count: 1_000_000) + [0x2e]).hasPrefix("w.pth: error: "))
  }

  /// Each list is put into the one before it was filled.
  @Test func aChainOfListsBuiltFromOutside() throws {
    var pickle: [UInt8] = [0x5d]
    for _ in 0..<300_000 { pickle += [0x5d, 0x71, 0, 0x61, 0x68, 0] }
    #expect(try message(pickle + [0x2e]).hasPrefix("w.pth: error: "))
  }

  @Test func aListInItself() throws {
    #expect(try message(Array("]q\u{0}h\u{0}a.".utf8)).hasPrefix("w.pth: error: "))
  }

  @Test func moreValuesThanAnyFileHas() throws {
    #expect(
      try message([UInt8](repeating: 0x4e, count: 5_000_000))
        == "w.pth: error: its pickle holds more than 4000000 values, which no file of weights does")
  }

  /// A long list that is copied into dictionary after dictionary.
  @Test func dictionariesOfOneList() throws {
    var pickle: [UInt8] = [0x5d, 0x71, 0, 0x28]
    for _ in 0..<50_000 { pickle += [0x4b, 1, 0x4b, 2, 0x86] }
    pickle += [0x65]
    for _ in 0..<10_000 { pickle += Array("ccollections\nOrderedDict\n".utf8) + [0x68, 0, 0x85, 0x52] }
    #expect(try message(pickle).contains("more than 4000000 values"))
  }

  @Test func namesOfLongTexts() throws {
    let text = [UInt8](repeating: 0x61, count: 100_000)
    let pickle = [0x58, 0xa0, 0x86, 1, 0] + text + [0x71, 0] + [0x68, 0, 0x68, 0, 0x93]
    #expect(try message(pickle) == "w.pth: error: its pickle is damaged")
  }

  /// Each of 10,000 names a tensor of the same million numbers.
  @Test func tensorsThatShareAStorage() throws {
    let count = 250_000
    var pickle: [UInt8] = [0x7d, 0x28]
    let tensor =
      "ctorch._utils\n_rebuild_tensor_v2\n((X\u{7}\0\0\0storagectorch\nFloatStorage\nX\u{1}\0\0\0" + "0X\u{3}\0\0\0cpuJ"
    for key in 0..<10_000 {
      let (name, size) = ("\(key)", withUnsafeBytes(of: Int32(count)) { Array($0) })
      pickle += [0x58, UInt8(name.utf8.count), 0, 0, 0] + Array(name.utf8) + Array(tensor.utf8) + size
      pickle += Array("tQK\0J".utf8) + size + [0x85] + Array("K\u{1}".utf8) + [0x85] + Array("tR".utf8)
    }
    pickle += [0x75, 0x2e] + Array("]X\u{1}\0\0\0".utf8) + Array("0a.".utf8)
    pickle += withUnsafeBytes(of: Int64(count)) { Array($0) } + [UInt8](repeating: 0, count: 4 * count)
    #expect(try message(pickle) == "w.pth: error: its tensors together are larger than the file by far")
  }
}
