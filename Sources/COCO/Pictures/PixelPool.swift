import Synchronization

/// Arrays of pixels that are used again: the first touch of fresh memory costs as much as decoding into it.
///
/// An array that somebody still reads when it is handed out again is copied, as arrays are; nothing can leak from one
/// picture to another but the undefined first content of an array.
package final class PixelPool: Sendable {
  private let free = Mutex<[[UInt8]]>([])

  package init() {}

  /// An array of so many bytes with undefined content.
  package func take(_ count: Int) -> [UInt8] {
    var pixels = free.withLock { free in
      let fitting = free.indices.filter { free[$0].capacity >= count }.min { free[$0].capacity < free[$1].capacity }
      // Where none is large enough the smallest gives way, so that there are never more than were in use at once.
      let chosen = fitting ?? free.indices.min { free[$0].capacity < free[$1].capacity }
      return chosen.map { free.remove(at: $0) } ?? []
    }
    guard pixels.capacity >= count else { return [UInt8](repeating: 0, count: count) }
    if pixels.count > count { pixels.removeLast(pixels.count - count) }
    if pixels.count < count { pixels.append(contentsOf: repeatElement(0, count: count - pixels.count)) }
    return pixels
  }

  /// Takes an array back whose content nobody needs any more.
  package func give(_ pixels: [UInt8]) { free.withLock { $0.append(pixels) } }
}
