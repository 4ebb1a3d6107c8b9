internal import CHDF5
import Foundation

/// An HDF5 file opened for reading.
public final class HDF5File {
  private let handle: Handle
  private let path: String
  /// What one array may take. The declared size of an array says nothing: a chunk that isn't there is zeros.
  private let maximumBytes: Int

  public init(reading path: String) throws(HDF5Error) {
    Library.prepare()
    self.path = path
    maximumBytes = .max
    handle = try Handle(H5Fopen(path, chdf5_read_only(), hid_t(H5P_DEFAULT)), "H5Fopen", path) { H5Fclose($0) }
  }

  /// The file whose bytes these are; `name` stands in errors. Arrays of more than `maximumBytes` are errors.
  public init(image: [UInt8], name: String, maximumBytes: Int = .max) throws(HDF5Error) {
    Library.prepare()
    (path, self.maximumBytes) = (name, maximumBytes)
    let access = try Library.inMemory(increment: 1 << 20)
    let code = image.withUnsafeBytes { bytes in
      H5Pset_file_image(access.id, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }
    guard code >= 0 else { throw HDF5Error(function: "H5Pset_file_image", subject: name) }
    // The library keys open files by name: two images of one name would be one file.
    handle = try Handle(H5Fopen("\(UUID())", chdf5_read_only(), access.id), "H5Fopen", name) { H5Fclose($0) }
  }

  /// The names of the members of a group, in alphabetical order.
  public func members(of group: String) throws(HDF5Error) -> [String] {
    let group = try Handle(H5Gopen2(handle.id, group, hid_t(H5P_DEFAULT)), "H5Gopen2", "\(path):\(group)") {
      H5Gclose($0)
    }
    var info = H5G_info_t()
    H5Gget_info(group.id, &info)
    return (0..<info.nlinks).map { index in
      let length = H5Lget_name_by_idx(group.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, nil, 0, hid_t(H5P_DEFAULT))
      return Self.text(length) {
        H5Lget_name_by_idx(group.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, $0, length + 1, hid_t(H5P_DEFAULT))
      }
    }
  }

  /// Whether there is an object of this path; each of its parents must exist.
  public func contains(_ name: String) -> Bool {
    H5Lexists(handle.id, name, hid_t(H5P_DEFAULT)) > 0
  }

  public func isGroup(_ name: String) throws(HDF5Error) -> Bool {
    let object = try open(name)
    return H5Iget_type(object.id) == H5I_GROUP
  }

  public func shape(of name: String) throws(HDF5Error) -> [Int] { try shape(of: dataset(name)) }

  /// What a data set's elements are.
  public enum NumberType: Sendable {
    case integer
    /// Of 32 bits or fewer.
    case float
    case float64
    /// Texts, records, …
    case none
  }

  public func numberType(of name: String) throws(HDF5Error) -> NumberType {
    let dataset = try dataset(name)
    let type = try Handle(H5Dget_type(dataset.id), "H5Dget_type", "\(path):\(name)") { H5Tclose($0) }
    switch H5Tget_class(type.id) {
    case H5T_INTEGER: return .integer
    case H5T_FLOAT: return H5Tget_size(type.id) > 4 ? .float64 : .float
    default: return .none
    }
  }

  public func floats(_ name: String) throws(HDF5Error) -> [Float] { try read(name, chdf5_float(), as: Float(0)) }
  public func doubles(_ name: String) throws(HDF5Error) -> [Double] { try read(name, chdf5_double(), as: 0) }
  public func integers(_ name: String) throws(HDF5Error) -> [Int64] { try read(name, chdf5_int64(), as: Int64(0)) }
  public func bytes(_ name: String) throws(HDF5Error) -> [UInt8] { try read(name, chdf5_uint8(), as: UInt8(0)) }

  // Attributes of a group or data set.

  public func attributeNames(of object: String) throws(HDF5Error) -> [String] {
    let object = try open(object)
    let count = H5Aget_num_attrs(object.id)
    return (0..<max(0, hsize_t(count))).map { index in
      let length = H5Aget_name_by_idx(
        object.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, nil, 0, hid_t(H5P_DEFAULT))
      return Self.text(length) {
        H5Aget_name_by_idx(
          object.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, $0, Int(length) + 1, hid_t(H5P_DEFAULT))
      }
    }
  }

  public func doubles(attribute: String, of object: String) throws(HDF5Error) -> [Double] {
    try read(attribute: attribute, of: object, chdf5_double(), as: 0)
  }

  public func integers(attribute: String, of object: String) throws(HDF5Error) -> [Int64] {
    try read(attribute: attribute, of: object, chdf5_int64(), as: 0)
  }

  public func integer(attribute: String, of object: String) throws(HDF5Error) -> Int {
    guard let value = try integers(attribute: attribute, of: object).first else {
      throw HDF5Error(function: "H5Aread", subject: "attribute \(attribute) in \(path)")
    }
    return Int(value)
  }

  /// A fixed-length or variable-length string.
  public func string(attribute: String, of object: String) throws(HDF5Error) -> String {
    guard let text = try strings(attribute: attribute, of: object).first else {
      throw HDF5Error(function: "H5Aread", subject: "attribute \(attribute) in \(path)")
    }
    return text
  }

  /// A list of strings, or one.
  public func strings(attribute: String, of object: String) throws(HDF5Error) -> [String] {
    let (handle, shape) = try open(attribute: attribute, of: object)
    let type = try Handle(H5Aget_type(handle.id), "H5Aget_type", attribute) { H5Tclose($0) }
    let isVariable = H5Tis_variable_str(type.id) > 0
    let size = isVariable ? MemoryLayout<Int>.size : max(1, H5Tget_size(type.id))
    let count = try count(shape, size: size, attribute)
    guard count > 0, H5Tget_class(type.id) == H5T_STRING else { return [] }
    let failure = HDF5Error(function: "H5Aread", subject: "attribute \(attribute) in \(path)")
    guard isVariable else {
      let length = size
      var bytes = [UInt8](repeating: 0, count: length * count)
      guard H5Aread(handle.id, type.id, &bytes) >= 0 else { throw failure }
      return (0..<count).map {
        String(decoding: bytes[$0 * length..<($0 + 1) * length].prefix { $0 != 0 }, as: UTF8.self)
      }
    }
    var texts = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    defer { for text in texts { H5free_memory(text) } }
    guard H5Aread(handle.id, type.id, &texts) >= 0 else { throw failure }
    return texts.map { $0.map { String(cString: $0) } ?? "" }
  }

  private func dataset(_ name: String) throws(HDF5Error) -> Handle {
    try Handle(H5Dopen2(handle.id, name, hid_t(H5P_DEFAULT)), "H5Dopen2", "\(path):\(name)") { H5Dclose($0) }
  }

  private func open(_ object: String) throws(HDF5Error) -> Handle {
    try Handle(H5Oopen(handle.id, object, hid_t(H5P_DEFAULT)), "H5Oopen", "\(path):\(object)") { H5Oclose($0) }
  }

  private func shape(of dataset: Handle) throws(HDF5Error) -> [Int] {
    let space = try Handle(H5Dget_space(dataset.id), "H5Dget_space", path) { H5Sclose($0) }
    return Self.extent(space.id)
  }

  private static func extent(_ space: hid_t) -> [Int] {
    var sizes = [hsize_t](repeating: 0, count: Int(max(0, H5Sget_simple_extent_ndims(space))))
    H5Sget_simple_extent_dims(space, &sizes, nil)
    return sizes.map { Int(clamping: $0) }
  }

  /// The number of elements, if they may be read.
  private func count(_ shape: [Int], size: Int, _ subject: String) throws(HDF5Error) -> Int {
    if shape.contains(0) { return 0 }
    var (count, bytes) = (1, size)
    for length in shape {
      let (product, isTooLarge) = bytes.multipliedReportingOverflow(by: length)
      guard !isTooLarge, product <= maximumBytes else {
        throw HDF5Error(function: "H5Sget_simple_extent_dims", subject: "\(path):\(subject) of shape \(shape)")
      }
      (count, bytes) = (count * length, product)
    }
    return count
  }

  private func read<Element: BitwiseCopyable>(_ name: String, _ type: hid_t, as zero: Element) throws(HDF5Error)
    -> [Element]
  {
    let dataset = try dataset(name)
    let count = try count(shape(of: dataset), size: MemoryLayout<Element>.size, name)
    var values = [Element](repeating: zero, count: count)
    guard
      values.isEmpty || H5Dread(dataset.id, type, hid_t(H5S_ALL), hid_t(H5S_ALL), hid_t(H5P_DEFAULT), &values) >= 0
    else { throw HDF5Error(function: "H5Dread", subject: "\(path):\(name)") }
    return values
  }

  private func open(attribute: String, of object: String) throws(HDF5Error) -> (Handle, [Int]) {
    let object = try open(object)
    let handle = try Handle(
      H5Aopen(object.id, attribute, hid_t(H5P_DEFAULT)), "H5Aopen", "attribute \(attribute) in \(path)"
    ) { H5Aclose($0) }
    let space = try Handle(H5Aget_space(handle.id), "H5Aget_space", attribute) { H5Sclose($0) }
    return (handle, Self.extent(space.id))
  }

  private func read<Element: BitwiseCopyable>(
    attribute: String, of object: String, _ type: hid_t, as zero: Element
  ) throws(HDF5Error) -> [Element] {
    let (handle, shape) = try open(attribute: attribute, of: object)
    let count = try count(shape, size: MemoryLayout<Element>.size, attribute)
    var values = [Element](repeating: zero, count: count)
    guard values.isEmpty || H5Aread(handle.id, type, &values) >= 0 else {
      throw HDF5Error(function: "H5Aread", subject: "attribute \(attribute) in \(path)")
    }
    return values
  }

  private static func text(_ length: Int, _ read: (UnsafeMutablePointer<CChar>) -> Int) -> String {
    var bytes = [CChar](repeating: 0, count: length + 1)
    _ = bytes.withUnsafeMutableBufferPointer { read($0.baseAddress!) }
    return String(decoding: bytes.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
