import Primitives

/// Pictures of 16 bits a channel. Training sees their high bytes, and where only low bits are used, a camera's 12 for
/// example, these are nearly nothing. Some are read whole, the first of each rank's share.
struct DeepPictures: Codable, Equatable {
  private var count = 0
  private var looked = 0
  private var pixels = 0
  private var low = 0
  private var highest: UInt16 = 0
  /// The place of the first one in the data set that uses low bits alone.
  private var firstLow: Int?

  private static let mostPictures = 20
  private static let mostPixels = 1 << 27
  /// 14 bits: a picture that stays below is darker than a quarter of what it could be.
  private static let lowEnd: UInt16 = 1 << 14

  init() {}

  func wantsAnother(of size: ImageSize) -> Bool {
    looked < Self.mostPictures && pixels + size.height * size.width <= Self.mostPixels
  }

  mutating func add(_ highest: UInt16, of size: ImageSize, place: Int) {
    (count, looked, pixels) = (count + 1, looked + 1, pixels + size.height * size.width)
    guard highest < Self.lowEnd else { return }
    low += 1
    self.highest = max(self.highest, highest)
    firstLow = firstLow ?? place
  }

  mutating func addUnread() { count += 1 }

  init(_ parts: [DeepPictures]) {
    for part in parts {
      (count, looked, pixels) = (count + part.count, looked + part.looked, pixels + part.pixels)
      (low, highest) = (low + part.low, max(highest, part.highest))
      firstLow = firstLow ?? part.firstLow
    }
  }

  func finding(in dataset: CocoDataset) -> DatasetFinding? {
    guard let firstLow else { return nil }
    let id = dataset.images.identifier(at: firstLow)
    let all = looked == count ? "" : " (of \(count) in all)"
    return DatasetFinding(
      .lowBits, level: .notice, count: low, ids: [id],
      "\(low) of \(looked) pictures of 16 bits that were read\(all) use their low bits alone, the first is image "
        + "\(id): the highest value is \(highest) of 65535, and training sees \((Int(highest) * 255 + 32767) / 65535) of 255; spread "
        + "the values over all 16 bits")
  }
}

extension CocoDataset {
  /// What a report of all pictures says besides its error.
  public func findings(of report: PictureReport) -> [DatasetFinding] {
    report.deep.finding(in: self).map { [$0] } ?? []
  }
}
