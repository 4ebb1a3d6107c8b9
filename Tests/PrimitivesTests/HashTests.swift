import Primitives
import Testing

/// The values of draft-eastlake-fnv, and that a hash may be taken in pieces.
@Suite struct HashTests {
  @Test func knownValues() {
    #expect(FNV1a.hash(of: []) == 0xcbf2_9ce4_8422_2325)
    #expect(FNV1a.hash(of: "a".utf8) == 0xaf63_dc4c_8601_ec8c)
    #expect(FNV1a.hash(of: "foobar".utf8) == 0x8594_4171_f739_67e8)
    #expect(KeyedRandom.hash("foobar") == Int64(bitPattern: 0x8594_4171_f739_67e8))
  }

  @Test func inPieces() {
    var hash = FNV1a()
    hash.add("foo".utf8)
    hash.add("bar".utf8)
    #expect(hash.value == FNV1a.hash(of: "foobar".utf8))
  }

  @Test func numbersLowestByteFirst() {
    var hash = FNV1a()
    hash.add(0x0807_0605_0403_0201 as UInt64)
    #expect(hash.value == FNV1a.hash(of: 1...8))
  }
}
