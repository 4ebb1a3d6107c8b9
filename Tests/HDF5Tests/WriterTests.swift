import Foundation
import HDF5
import Testing

@Suite struct WriterTests {
  private func image() throws -> [UInt8] {
    let writer = try HDF5Writer()
    try writer.write((0..<700_000).map { Float($0) }, shape: [7, 100_000], to: "/model/a/weight")
    try writer.write([1.5, -2], shape: [2], to: "/model/b")
    try writer.write([.min, .max, 7], shape: [3, 1], to: "/progress/words")
    try writer.write([Float](), shape: [0, 4], to: "/empty")
    try writer.write([Float(3)], shape: [], to: "/scalar")
    try writer.set("count", to: -3)
    try writer.set("ids", to: [1, 90])
    try writer.set("rate", to: 0.02)
    try writer.set("text", to: "zwölf\nBoxkämpfer")
    try writer.set("names", of: "/model", to: ["person", "", "traffic light"])
    try writer.set("nothing", to: [String]())
    return try writer.image()
  }

  private func verify(_ file: HDF5File) throws {
    #expect(try file.shape(of: "/model/a/weight") == [7, 100_000])
    #expect(try file.floats("/model/a/weight") == (0..<700_000).map { Float($0) })
    #expect(try file.doubles("/model/b") == [1.5, -2])
    #expect(try file.integers("/progress/words") == [.min, .max, 7])
    #expect(try file.floats("/empty") == [] && file.shape(of: "/empty") == [0, 4])
    #expect(try file.floats("/scalar") == [3] && file.shape(of: "/scalar") == [])
    #expect(try file.integer(attribute: "count", of: "/") == -3)
    #expect(try file.integers(attribute: "ids", of: "/") == [1, 90])
    #expect(try file.doubles(attribute: "rate", of: "/") == [0.02])
    #expect(try file.string(attribute: "text", of: "/") == "zwölf\nBoxkämpfer")
    #expect(try file.strings(attribute: "names", of: "/model") == ["person", "", "traffic light"])
    #expect(try file.strings(attribute: "nothing", of: "/") == [])
    #expect(try file.isGroup("/model") && !file.isGroup("/model/b"))
  }

  @Test func roundTripInMemoryAndOnDisk() throws {
    let image = try image()
    try verify(HDF5File(image: image, name: "memory"))
    let path = NSTemporaryDirectory() + "writer-\(UUID()).h5"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(image).write(to: URL(fileURLWithPath: path))
    try verify(HDF5File(reading: path))
  }

  @Test func sameContentsSameBytes() throws {
    let first = try image()
    Thread.sleep(forTimeInterval: 1.1)
    #expect(try image() == first)
  }

  @Test func twoImagesOfOneNameAreTwoFiles() throws {
    let writer = try HDF5Writer()
    try writer.set("count", to: 4)
    let second = try writer.image()
    let files = try [HDF5File(image: image(), name: "x"), HDF5File(image: second, name: "x")]
    #expect(try files.map { try $0.integer(attribute: "count", of: "/") } == [-3, 4])
  }

  @Test func cutOffIsAnError() throws {
    let image = try image()
    for count in [0, 1, 47, image.count / 2, image.count - 1] {
      #expect(throws: HDF5Error.self) { try HDF5File(image: Array(image[..<count]), name: "cut") }
    }
  }
}
