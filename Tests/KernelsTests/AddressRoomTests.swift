import Kernels
import Testing

/// What a pool of arrays takes of the addresses of its process.
@Suite struct AddressRoomTests {
  private static let machine = 16 << 30

  private func attempts(_ counted: Int?, needed: Int, held: Int = 0) -> [Int] {
    AddressRoom(machine: Self.machine, counted: counted).attempts(needed: needed, held: held)
  }

  @Test func addressesThatAreFreeAreTakenOnce() {
    #expect(attempts(nil, needed: 1000).first == Self.machine)
    #expect(attempts(nil, needed: 1000, held: 1 << 30) == [AddressRoom.portion, 1000])
    #expect(attempts(nil, needed: Self.machine + 1) == [])
    #expect(attempts(nil, needed: 1000, held: Self.machine) == [])
  }

  @Test func aLimitFarAboveTheMachineIsNone() {
    #expect(attempts(200 << 30, needed: 1000).first == Self.machine)
  }

  /// Two pools and the rest of the program live beside this one.
  @Test(arguments: [600, 1000, 2000, 4000, 8000])
  func aLimitIsNotUsedUpByWhoComesFirst(mebibytes: Int) {
    let room = mebibytes << 20
    for needed in [1000, 10 << 20] {
      let wanted = attempts(room, needed: needed)
      #expect(wanted.allSatisfy { $0 >= needed && $0 <= room / 8 } && wanted.last == needed)
    }
  }

  @Test func aLargeArrayGetsWhatItNeeds() {
    let needed = 300 << 20
    #expect(attempts(600 << 20, needed: needed).first == needed)
    #expect(attempts(600 << 20, needed: needed, held: 10 << 30).first == needed)
  }

  /// The heap, stacks and pictures need addresses too, and Swift traps where the heap has none.
  @Test func theLastAddressesAreKept() {
    let room = 600 << 20
    #expect(attempts(room, needed: room - AddressRoom.kept) == [room - AddressRoom.kept, room - AddressRoom.kept])
    #expect(attempts(room, needed: room - AddressRoom.kept + 1) == [])
    #expect(attempts(1000, needed: 1) == [])
    #expect(AddressRoom(machine: Self.machine, counted: room).available(held: 5) == room - AddressRoom.kept + 5)
    #expect(AddressRoom(machine: Self.machine, counted: 1000).available(held: 5) == 5)
    #expect(AddressRoom(machine: Self.machine, counted: nil).available(held: 5) == Self.machine)
  }
}
