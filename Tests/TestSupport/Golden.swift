import Foundation
import HDF5
import Testing

/// A reference value is not what a test expects to find.
public struct GoldenError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// One case of a file of reference values in `Tests/Goldens`, computed by mmdetection 2.11.
public struct GoldenCase: CustomStringConvertible {
  /// For example `case_003`.
  public let name: String
  private let file: HDF5File

  public var title: String { string("title") ?? name }
  public var description: String { "\(name) (\(title))" }

  /// All cases of `Tests/Goldens/FILE.h5`, in order; there is at least one, so that a loop over them is a test.
  public static func all(_ file: String) throws -> [GoldenCase] {
    let file = try HDF5File(reading: path("\(file).h5"))
    let names = try file.members(of: "/")
    try #require(!names.isEmpty, "the file of reference values is empty")
    return names.map { GoldenCase(name: $0, file: file) }
  }

  /// The path of a file in `Tests/Goldens`.
  public static func path(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Goldens/\(name)").path
  }

  /// Whether there is a data set or a group, for example `expected/grad_weight`.
  public func has(_ dataset: String) -> Bool {
    var path = "/\(name)"
    for part in dataset.split(separator: "/") {
      path += "/\(part)"
      if !file.contains(path) { return false }
    }
    return true
  }
  public func members(_ group: String) throws -> [String] { try file.members(of: "/\(name)/\(group)") }
  public func shape(_ dataset: String) throws -> [Int] { try file.shape(of: "/\(name)/\(dataset)") }
  public func floats(_ dataset: String) throws -> [Float] { try file.floats("/\(name)/\(dataset)") }
  public func doubles(_ dataset: String) throws -> [Double] { try file.doubles("/\(name)/\(dataset)") }
  public func integers(_ dataset: String) throws -> [Int] { try file.integers("/\(name)/\(dataset)").map(Int.init) }
  public func bytes(_ dataset: String) throws -> [UInt8] { try file.bytes("/\(name)/\(dataset)") }

  // Attributes of the case, or of one of its groups; nil where there is none.

  public func string(_ attribute: String, of group: String = "") -> String? {
    try? file.string(attribute: attribute, of: "/\(name)/\(group)")
  }
  public func number(_ attribute: String, of group: String = "") -> Double? {
    numbers(attribute, of: group)?.first
  }
  public func numbers(_ attribute: String, of group: String = "") -> [Double]? {
    try? file.doubles(attribute: attribute, of: "/\(name)/\(group)")
  }
  public func integer(_ attribute: String, of group: String = "") -> Int? {
    number(attribute, of: group).map { Int($0) }
  }
  public func flag(_ attribute: String, of group: String = "") -> Bool? {
    integer(attribute, of: group).map { $0 != 0 }
  }
  public func attributes(of group: String = "") throws -> [String] { try file.attributeNames(of: "/\(name)/\(group)") }
  /// The configuration of the case, from its attribute `cfg`.
  public func configuration() throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data((string("cfg") ?? "{}").utf8))
    return object as? [String: Any] ?? [:]
  }
}

/// Values of shape `[N, C, H, W]` reordered to `[N, H, W, C]`.
public func channelsInnermost(_ values: [Float], _ shape: [Int]) -> [Float] {
  let (channels, cells) = (shape[1], shape[2] * shape[3])
  var result = [Float](repeating: 0, count: values.count)
  for image in 0..<shape[0] {
    for c in 0..<channels {
      for cell in 0..<cells {
        result[(image * cells + cell) * channels + c] = values[(image * channels + c) * cells + cell]
      }
    }
  }
  return result
}
