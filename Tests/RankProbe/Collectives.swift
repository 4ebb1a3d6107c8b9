import MPI

func checkCollectives(_ world: World) throws {
  let (rank, n) = (Double(world.rank), Double(world.size))
  var doubles = [rank, 1, -rank]
  try world.sum(&doubles)
  try expect(doubles == [n * (n - 1) / 2, n, -n * (n - 1) / 2], "the sum of doubles is \(doubles)")
  doubles = [rank, -rank]
  try world.maximum(&doubles)
  try expect(doubles == [n - 1, 0], "the maximum of doubles is \(doubles)")
  var words = [UInt64(world.rank), UInt64.max - UInt64(world.rank)]
  try world.maximum(&words)
  try expect(words == [UInt64(world.size - 1), .max], "the maximum of words is \(words)")
  var nothing: [Double] = []
  try world.sum(&nothing)

  let bytes = [UInt8](repeating: UInt8(world.rank + 1), count: 3 * world.rank)
  let gathered = try world.gather(bytes)
  let expected = (0..<world.size).map { [UInt8](repeating: UInt8($0 + 1), count: 3 * $0) }
  try expect(gathered == (world.rank == 0 ? expected : []), "gathered bytes are \(gathered)")
  let doublesOfAll = try world.gather([Double](repeating: rank, count: world.size - world.rank))
  let expectedDoubles = (0..<world.size).map { [Double](repeating: Double($0), count: world.size - $0) }
  try expect(doublesOfAll == (world.rank == 0 ? expectedDoubles : []), "gathered doubles are \(doublesOfAll)")

  var text = world.rank == 0 ? Array("ninety-nine".utf8) : []
  try world.broadcast(&text)
  try expect(text == Array("ninety-nine".utf8), "the broadcast bytes are \(text)")
  try world.barrier()
  if world.size > 1 { try checkParts() }
}

/// With messages of at most 7 elements, as if the counts were beyond 32 bits.
private func checkParts() throws {
  // The session is up: the world of all ranks can be opened again.
  let parts = try Communicator.ofAllRanks(partCount: 7)
  let size = Float(parts.size)
  for count in [0, 1, 6, 7, 8, 14, 33] {
    var values = (0..<count).map { Float($0 * (parts.rank + 1)) }
    let expected = (0..<count).map { Float($0) * size * (size + 1) / 2 }
    try values.withUnsafeMutableBufferPointer { try parts.sum($0) }
    try expect(values == expected, "\(count) floats in parts sum to \(values)")
    values = (0..<count).map { Float($0 * (parts.rank + 1)) }
    try values.withUnsafeMutableBufferPointer { slice in
      let request = try parts.startSum(slice)
      while try !request.test() {}
    }
    try expect(values == expected, "\(count) floats in nonblocking parts sum to \(values)")
    var words = (0..<count).map { UInt64($0 + parts.rank) }
    try parts.maximum(&words)
    try expect(words == (0..<count).map { UInt64($0 + parts.size - 1) }, "the maximum in parts is \(words)")
    let gathered = try parts.gather([UInt8](repeating: UInt8(parts.rank), count: count * (parts.rank + 1)))
    let all = (0..<parts.size).map { [UInt8](repeating: UInt8($0), count: count * ($0 + 1)) }
    try expect(gathered == (parts.rank == 0 ? all : []), "gathered in parts: \(gathered)")
    var bytes = parts.rank == 0 ? (0..<count).map { UInt8($0) } : []
    try parts.broadcast(&bytes)
    try expect(bytes == (0..<count).map { UInt8($0) }, "broadcast in parts: \(bytes)")
  }
}
