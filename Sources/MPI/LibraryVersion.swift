internal import CMPI

/// The MPI library that the program runs with.
public enum MPILibrary {
  /// For example "Open MPI v4.1.4". Needs no `MPI_Init`.
  public static var version: String {
    var (text, length) = ([CChar](repeating: 0, count: Int(cmpi_max_library_version())), Int32(0))
    guard MPI_Get_library_version(&text, &length) == 0 else { return "unknown" }
    let line = String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return line.split(whereSeparator: { $0 == "," || $0 == "\n" || $0 == "\0" }).first.map(String.init) ?? "unknown"
  }
}
