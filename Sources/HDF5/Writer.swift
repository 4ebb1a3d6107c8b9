internal import CHDF5
import Foundation
import Primitives

/// Builds an HDF5 file in memory: on a full disk the library would crash when the process exits. The same calls give
/// the same bytes; nothing in the file tells when it was made.
///
/// Data sets are chunked with Fletcher-32, metadata carry the checksums of HDF5 1.10's format. Strings are of
/// variable length and UTF-8, as h5py writes them; HDF5 has no checksum for these.
public final class HDF5Writer {
  private let memory = Memory()
  private var file: Handle?
  private var groups: Set<String> = ["/"]

  /// What the library's file leaves when it is closed. (`H5Fget_file_image` of 1.10 clears a flag in the superblock
  /// without renewing its checksum: nobody can open that image.)
  private final class Memory {
    var bytes: UnsafeMutableRawPointer?
    deinit { free(bytes) }
  }

  public init() throws(HDF5Error) {
    Library.prepare()
    let creation = try Self.properties(chdf5_file_create())
    let access = try Library.inMemory(increment: 64 << 20)
    try Self.keepMemory(of: access, in: memory)
    // The library keeps open files by name: two of one name would be one file.
    file = try Handle(
      H5Fcreate("\(UUID())", chdf5_truncate(), creation.id, access.id), "H5Fcreate", "memory"
    ) { H5Fclose($0) }
  }

  deinit {
    // While `memory` is there to take the bytes.
    file = nil
  }

  /// Closes the file and gives its bytes; nothing can be written afterwards.
  public func image() throws(HDF5Error) -> [UInt8] {
    guard H5Fflush(handle, H5F_SCOPE_GLOBAL) >= 0 else { throw HDF5Error(function: "H5Fflush", subject: "memory") }
    file = nil
    guard let bytes = memory.bytes else { throw HDF5Error(function: "H5Fclose", subject: "memory") }
    // The block is longer than the file, whose end stands in its superblock (version 3).
    let end = bytes.loadUnaligned(fromByteOffset: 28, as: UInt64.self)
    let size = Int(UInt64(littleEndian: end))
    var image: [UInt8] = []
    // Room for a few bytes more, lest who appends some should copy it all.
    image.reserveCapacity(size + 64)
    image += UnsafeRawBufferPointer(start: bytes, count: size)
    return image
  }

  private var handle: hid_t {
    guard let file else { bug("the file was closed by image()") }
    return file.id
  }

  /// Makes the library leave the file's memory to us when it closes the file.
  private static func keepMemory(of access: Handle, in memory: Memory) throws(HDF5Error) {
    var callbacks = H5FD_file_image_callbacks_t()
    callbacks.image_malloc = { size, _, _ in malloc(size) }
    callbacks.image_memcpy = { target, source, size, _, _ in memcpy(target!, source!, size) }
    callbacks.image_realloc = { block, size, _, _ in realloc(block, size) }
    callbacks.image_free = { block, _, owner in
      Unmanaged<Memory>.fromOpaque(owner!).takeUnretainedValue().bytes = block
      return 0
    }
    callbacks.udata_copy = { $0 }
    callbacks.udata_free = { _ in 0 }
    callbacks.udata = Unmanaged.passUnretained(memory).toOpaque()
    guard H5Pset_file_image_callbacks(access.id, &callbacks) >= 0 else {
      throw HDF5Error(function: "H5Pset_file_image_callbacks", subject: "memory")
    }
  }

  // Data sets, with the groups of their paths. Values are row-major.

  public func write(_ values: [Float], shape: [Int], to path: String) throws(HDF5Error) {
    try write(values, chdf5_float(), shape: shape, to: path)
  }

  public func write(_ values: [Double], shape: [Int], to path: String) throws(HDF5Error) {
    try write(values, chdf5_double(), shape: shape, to: path)
  }

  public func write(_ values: [Int64], shape: [Int], to path: String) throws(HDF5Error) {
    try write(values, chdf5_int64(), shape: shape, to: path)
  }

  /// Makes a group and its parents, where they don't exist yet.
  public func createGroup(_ path: String) throws(HDF5Error) {
    var parent = ""
    for part in path.split(separator: "/") {
      parent += "/\(part)"
      guard groups.insert(parent).inserted else { continue }
      let creation = try Self.properties(chdf5_group_create())
      let none = hid_t(H5P_DEFAULT)
      _ = try Handle(H5Gcreate2(handle, parent, none, creation.id, none), "H5Gcreate2", parent) { H5Gclose($0) }
    }
  }

  // Attributes of a group or data set.

  public func set(_ attribute: String, of object: String = "/", to value: Int) throws(HDF5Error) {
    try set(attribute, of: object, to: [Int64(value)], chdf5_int64(), isScalar: true)
  }

  public func set(_ attribute: String, of object: String = "/", to value: Double) throws(HDF5Error) {
    try set(attribute, of: object, to: [value], chdf5_double(), isScalar: true)
  }

  public func set(_ attribute: String, of object: String = "/", to values: [Int]) throws(HDF5Error) {
    try set(attribute, of: object, to: values.map { Int64($0) }, chdf5_int64(), isScalar: false)
  }

  public func set(_ attribute: String, of object: String = "/", to text: String) throws(HDF5Error) {
    try set(attribute, of: object, toTexts: [text], isScalar: true)
  }

  public func set(_ attribute: String, of object: String = "/", to texts: [String]) throws(HDF5Error) {
    try set(attribute, of: object, toTexts: texts, isScalar: false)
  }

  private func set(
    _ attribute: String, of object: String, toTexts texts: [String], isScalar: Bool
  ) throws(HDF5Error) {
    let type = try Handle(H5Tcopy(chdf5_c_string()), "H5Tcopy", attribute) { H5Tclose($0) }
    H5Tset_size(type.id, chdf5_variable_length())
    H5Tset_cset(type.id, H5T_CSET_UTF8)
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    try set(attribute, of: object, to: copies, type.id, isScalar: isScalar)
  }

  private func set<Element: BitwiseCopyable>(
    _ attribute: String, of object: String, to values: [Element], _ type: hid_t, isScalar: Bool
  ) throws(HDF5Error) {
    let none = hid_t(H5P_DEFAULT)
    let owner = try Handle(H5Oopen(handle, object, none), "H5Oopen", object) { H5Oclose($0) }
    let space = try Self.space(isScalar ? [] : [values.count])
    let created = try Handle(
      H5Acreate2(owner.id, attribute, type, space.id, none, none), "H5Acreate2", "attribute \(attribute)"
    ) { H5Aclose($0) }
    guard values.isEmpty || H5Awrite(created.id, type, values) >= 0 else {
      throw HDF5Error(function: "H5Awrite", subject: "attribute \(attribute)")
    }
  }

  private func write<Element: BitwiseCopyable>(
    _ values: [Element], _ type: hid_t, shape: [Int], to path: String
  ) throws(HDF5Error) {
    require(shape.reduce(1, *) == values.count, "\(path): \(values.count) values do not fill the shape \(shape)")
    if let end = path.lastIndex(of: "/") { try createGroup(String(path[..<end])) }
    let creation = try Self.properties(chdf5_dataset_create())
    try Self.setStorage(of: creation, shape: shape, elementSize: MemoryLayout<Element>.stride)
    let (none, all) = (hid_t(H5P_DEFAULT), hid_t(H5S_ALL))
    let space = try Self.space(shape)
    let dataset = try Handle(
      H5Dcreate2(handle, path, type, space.id, none, creation.id, none), "H5Dcreate2", path
    ) { H5Dclose($0) }
    guard values.isEmpty || H5Dwrite(dataset.id, type, all, all, none, values) >= 0 else {
      throw HDF5Error(function: "H5Dwrite", subject: path)
    }
  }

  /// Chunks of whole rows, of about a MiB and of equal length, with checksums. HDF5 has no chunks for scalars: these
  /// lie in the object's header, which has a checksum of its own.
  private static func setStorage(of creation: Handle, shape: [Int], elementSize: Int) throws(HDF5Error) {
    guard let rows = shape.first else {
      guard H5Pset_layout(creation.id, H5D_COMPACT) >= 0 else {
        throw HDF5Error(function: "H5Pset_layout", subject: "scalar")
      }
      return
    }
    let rowBytes = max(1, shape.dropFirst().reduce(elementSize, *))
    let chunks = max(1, min(rows, (rows * rowBytes + (1 << 20) - 1) >> 20))
    var chunk = shape.map { hsize_t(max(1, $0)) }
    chunk[0] = hsize_t(max(1, (rows + chunks - 1) / chunks))
    guard H5Pset_chunk(creation.id, Int32(chunk.count), chunk) >= 0, H5Pset_fletcher32(creation.id) >= 0 else {
      throw HDF5Error(function: "H5Pset_chunk", subject: "chunk \(chunk)")
    }
  }

  private static func space(_ shape: [Int]) throws(HDF5Error) -> Handle {
    let sizes = shape.map { hsize_t($0) }
    let id = shape.isEmpty ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(sizes.count), sizes, nil)
    return try Handle(id, "H5Screate_simple", "shape \(shape)") { H5Sclose($0) }
  }

  /// Creation properties without the time.
  private static func properties(_ kind: hid_t) throws(HDF5Error) -> Handle {
    let properties = try Handle(H5Pcreate(kind), "H5Pcreate", "properties") { H5Pclose($0) }
    guard H5Pset_obj_track_times(properties.id, false) >= 0 else {
      throw HDF5Error(function: "H5Pset_obj_track_times", subject: "properties")
    }
    return properties
  }
}
