/// Where weights are named by an address of the web instead of a file.
enum WeightAddress {
  /// - Throws: `RunError` with what to fetch and where to put it, if `path` is an address.
  static func refuse(_ path: String) throws {
    guard path.hasPrefix("http://") || path.hasPrefix("https://") else { return }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    throw RunError(
      """
      \(path): error: this is an address, and nothing is downloaded; fetch the file ('wget \(path)') and name it in place \
      of the address: load_from: \(name)
      """, exitCode: .inputMissing)
  }
}
