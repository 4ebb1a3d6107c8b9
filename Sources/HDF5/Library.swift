internal import CHDF5
import Primitives

/// What the HDF5 library said went wrong.
public struct HDF5Error: ReportedError {
  /// The C function, for example `H5Dopen2`.
  public let function: String
  /// What was being done: the path of a file, the name of a data set.
  public let subject: String

  public init(function: String, subject: String) { (self.function, self.subject) = (function, subject) }

  public var description: String { "HDF5 could not read or write \(subject) (\(function) failed)" }
  public var exitCode: ExitCode { .badData }
  public var scope: ErrorScope { .thisRank }
}

/// One reference to an HDF5 object, closed with the last Swift reference.
final class Handle {
  let id: hid_t
  private let close: (hid_t) -> herr_t

  init(_ id: hid_t, _ function: String, _ subject: String, close: @escaping (hid_t) -> herr_t) throws(HDF5Error) {
    guard id >= 0 else { throw HDF5Error(function: function, subject: subject) }
    (self.id, self.close) = (id, close)
  }

  deinit { _ = close(id) }
}

enum Library {
  /// Opens the library without its atexit handler (which crashes after a full disk) and without error printing.
  static func prepare() {
    _ = opened
    // A setting of each thread.
    H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
  }

  private static let opened: Void = {
    H5dont_atexit()
    H5open()
  }()

  /// Access to a file that exists in memory only and grows by `increment` bytes at a time.
  static func inMemory(increment: Int) throws(HDF5Error) -> Handle {
    let access = try Handle(H5Pcreate(chdf5_file_access()), "H5Pcreate", "memory") { H5Pclose($0) }
    guard H5Pset_fapl_core(access.id, increment, false) >= 0,
      // The format of 1.10, the first with checksums over all metadata.
      H5Pset_libver_bounds(access.id, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0
    else { throw HDF5Error(function: "H5Pset_fapl_core", subject: "memory") }
    return access
  }
}

/// The HDF5 library that the program runs with.
public enum HDF5Library {
  /// For example "1.10.8".
  public static var version: String {
    var (major, minor, release) = (UInt32(0), UInt32(0), UInt32(0))
    guard H5get_libversion(&major, &minor, &release) >= 0 else { return "unknown" }
    return "\(major).\(minor).\(release)"
  }
}
