import Primitives

/// `mpi.check_pictures`: what is looked at of all pictures before anything is done with them.
public enum PictureCheck: String, Sendable, CaseIterable {
  /// Whether they are there: a `stat` each.
  case names
  /// Their headers, too: the format and the size.
  case headers
  case none
}

/// What is wrong with the pictures of a data set, as far as a rank has looked: counts, and the first few in words.
public struct PictureReport: Codable, Equatable, Sendable {
  struct Fault: Codable, Equatable {
    /// The image's place in the data set.
    let place: Int
    let text: String
  }

  /// Not on disk.
  public internal(set) var missing = 0
  /// On disk, but no picture that can be read.
  public internal(set) var unusable = 0
  /// Of another size than the annotation file says.
  public internal(set) var otherSize = 0
  /// Pictures of 16 bits, where headers were read.
  var deep = DeepPictures()
  /// The first of each kind.
  private(set) var missingOnes: [Fault] = []
  private(set) var otherOnes: [Fault] = []
  /// What is wrong with the folder itself.
  var folderFault: String?

  static let shownCount = 5

  public init() {}

  mutating func addMissing(_ fault: @autoclosure () -> Fault) {
    missing += 1
    if missingOnes.count < Self.shownCount { missingOnes.append(fault()) }
  }

  mutating func addUnusable(_ fault: Fault) {
    unusable += 1
    if otherOnes.count < Self.shownCount { otherOnes.append(fault) }
  }

  mutating func addOtherSize(_ fault: Fault) {
    otherSize += 1
    if otherOnes.count < Self.shownCount { otherOnes.append(fault) }
  }

  /// What several ranks have found, in the order of the data set.
  /// - Parameters:
  ///   - reports: one a rank.
  ///   - hosts: a host for each report, to be named where they are several.
  public init(_ reports: [PictureReport], hosts: [String]) {
    missing = reports.reduce(0) { $0 + $1.missing }
    unusable = reports.reduce(0) { $0 + $1.unusable }
    otherSize = reports.reduce(0) { $0 + $1.otherSize }
    deep = DeepPictures(reports.map(\.deep))
    folderFault = reports.lazy.compactMap(\.folderFault).first
    let namesHosts = Set(hosts).count > 1
    func first(_ faults: (PictureReport) -> [Fault]) -> [Fault] {
      let all = zip(reports, hosts).flatMap { report, host in
        faults(report).map { Fault(place: $0.place, text: namesHosts ? "\($0.text) [on \(host)]" : $0.text) }
      }
      return Array(all.sorted { $0.place < $1.place }.prefix(Self.shownCount))
    }
    missingOnes = first(\.missingOnes)
    otherOnes = first(\.otherOnes)
  }

  /// The counts and the first few; nil where nothing is wrong.
  /// - Parameter count: of the pictures that were looked at.
  func error(in dataset: CocoDataset, count: Int) -> COCOError? {
    let kinds: [(count: Int, name: String)] = [
      (missing, "not there"), (unusable, "not readable as pictures"), (otherSize, "of another size than the file says"),
    ]
    let found = kinds.filter { $0.count > 0 }
    guard !found.isEmpty else { return nil }
    let counts = found.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
    let shown = missingOnes + otherOnes
    let lines = FirstFew.lines(shown.map(\.text), most: shown.count, of: missing + unusable + otherSize)
    return COCOError(
      missing > 0 ? .inputMissing : .badData, at: dataset.summary.path,
      "of \(count) pictures \(counts):" + (folderFault.map { "\n  \($0)" } ?? "") + lines)
  }
}
