import Primitives

/// The boxes that are given for each image of an annotation file (`proposal_file`), as one stretch of bytes without
/// addresses in it, so that the processes of a node can share it: 16 bytes a box.
public final class ProposalBlock: @unchecked Sendable {
  package let bytes: UnsafeRawBufferPointer
  /// What keeps the bytes where they are; nil if this object does.
  private let owner: AnyObject?
  /// Where each image's boxes begin, and their number at the end.
  private let starts: UnsafeBufferPointer<Int>
  private let boxes: UnsafeBufferPointer<Box>

  /// Reads a block that lies in `owner`'s memory, which must stay as it is and be aligned to 16 bytes.
  package convenience init(_ bytes: UnsafeRawBufferPointer, owner: AnyObject) { self.init(bytes, kept: owner) }

  /// - Parameter images: the boxes of each, in the order of the annotation file.
  package convenience init(_ images: [[Box]]) {
    let count = images.reduce(0) { $0 + $1.count }
    let size = Self.boxesBegin(images: images.count) + count * MemoryLayout<Box>.stride
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    bytes.storeBytes(of: images.count, as: Int.self)
    var (start, place) = (0, Self.boxesBegin(images: images.count))
    for (image, boxes) in images.enumerated() {
      bytes.storeBytes(of: start, toByteOffset: (image + 1) * MemoryLayout<Int>.stride, as: Int.self)
      start += boxes.count
      for box in boxes {
        bytes.storeBytes(of: box, toByteOffset: place, as: Box.self)
        place += MemoryLayout<Box>.stride
      }
    }
    bytes.storeBytes(of: start, toByteOffset: (images.count + 1) * MemoryLayout<Int>.stride, as: Int.self)
    self.init(UnsafeRawBufferPointer(bytes), kept: nil)
  }

  private init(_ bytes: UnsafeRawBufferPointer, kept owner: AnyObject?) {
    (self.bytes, self.owner) = (bytes, owner)
    let images = bytes.load(as: Int.self)
    let numbers = UnsafeRawBufferPointer(rebasing: bytes[MemoryLayout<Int>.stride..<Self.boxesBegin(images: images)])
    starts = UnsafeBufferPointer(rebasing: numbers.bindMemory(to: Int.self)[...images])
    boxes = UnsafeRawBufferPointer(rebasing: bytes[Self.boxesBegin(images: images)...]).bindMemory(to: Box.self)
  }

  deinit {
    if owner == nil { bytes.deallocate() }
  }

  package var imageCount: Int { starts.count - 1 }
  package var boxCount: Int { starts[imageCount] }

  /// - Parameter image: the position in the annotation file.
  package func boxes(ofImage image: Int) -> [Box] { Array(boxes[starts[image]..<starts[image + 1]]) }

  /// Behind the number of images and the starts, rounded up to a box.
  private static func boxesBegin(images: Int) -> Int {
    ((images + 2) * MemoryLayout<Int>.stride + 15) / 16 * 16
  }
}
