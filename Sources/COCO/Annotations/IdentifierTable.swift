import Primitives

/// Where each id stands in a list: a hash table with linear probing.
struct IdentifierTable {
  private var ids: [Int64] = []
  /// Positions in `ids`, -1 for a free slot; at least half are free, so that a search ends.
  private var slots: [Int32]
  /// The first id that is there already, and its two places.
  private(set) var firstRepetition: (first: Int, second: Int)?
  /// One for each place after an id's first.
  private(set) var repeatedIDs = Tally<Int64>()

  init(_ ids: some Collection<Int64>) {
    let capacity = 1 << (Int.bitWidth - (2 * ids.count).leadingZeroBitCount)
    slots = [Int32](repeating: -1, count: capacity)
    self.ids.reserveCapacity(ids.count)
    for id in ids {
      let slot = slot(of: id)
      if slots[slot] < 0 {
        slots[slot] = Int32(self.ids.count)
      } else {
        repeatedIDs.add(id)
        if firstRepetition == nil { firstRepetition = (Int(slots[slot]), self.ids.count) }
      }
      self.ids.append(id)
    }
  }

  var count: Int { ids.count }

  /// The first place of an id.
  subscript(id: Int64) -> Int? {
    let place = slots[slot(of: id)]
    return place < 0 ? nil : Int(place)
  }

  private func slot(of id: Int64) -> Int {
    var slot = Int(truncatingIfNeeded: KeyedRandom.mix(UInt64(bitPattern: id))) & (slots.count - 1)
    while slots[slot] >= 0, ids[Int(slots[slot])] != id { slot = (slot + 1) & (slots.count - 1) }
    return slot
  }
}
