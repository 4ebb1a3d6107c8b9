import Foundation
import Primitives

/// Where the members of a tar archive are, sorted by name, as one stretch of bytes without addresses in it, so that the
/// processes of a node can share it. Immutable once made.
package final class TarIndex: @unchecked Sendable {
  package let bytes: UnsafeRawBufferPointer
  /// What keeps the bytes where they are; nil if this object does.
  private let owner: AnyObject?
  private let members: UnsafeBufferPointer<Member>
  private let names: UnsafeBufferPointer<UInt8>
  /// The archive's size in bytes.
  let archiveSize: Int

  struct Member: BitwiseCopyable {
    let offset: Int
    let size: Int
    fileprivate let name: Int
    fileprivate let nameCount: Int32
    fileprivate let rawKind: UInt8

    var kind: TarEntry.Kind { TarEntry.Kind(rawValue: rawKind) ?? .other }
  }

  private struct Head: BitwiseCopyable {
    let members: Int
    let names: Int
    let archiveSize: Int
    let padding = 0
  }

  /// Reads an index that lies in `owner`'s memory, which must stay as it is and be aligned to 32 bytes.
  package init(_ bytes: UnsafeRawBufferPointer, owner: AnyObject?) {
    (self.bytes, self.owner) = (bytes, owner)
    let head = bytes.load(as: Head.self)
    let (start, size) = (MemoryLayout<Head>.stride, head.members * MemoryLayout<Member>.stride)
    members = UnsafeBufferPointer(rebasing: bytes[start..<start + size].bindMemory(to: Member.self)[...])
    names = UnsafeBufferPointer(
      rebasing: bytes[(start + size)..<start + size + head.names].bindMemory(to: UInt8.self)[...])
    archiveSize = head.archiveSize
  }

  deinit {
    if owner == nil { bytes.deallocate() }
  }

  /// Reads all headers. Of members of one name the last counts, as where an archive is unpacked; a hard link is the
  /// member that it means.
  convenience init(of file: PartialFile) throws {
    var reader = TarReader(file)
    var found: [Member] = []
    var names: [UInt8] = []
    var links: [(place: Int, target: [UInt8])] = []
    while let entry = try reader.entry() {
      // Others are not unpacked either.
      guard let name = Self.path(entry.name) else { continue }
      if entry.kind == .link, let target = Self.path(entry.target) { links.append((found.count, target)) }
      found.append(
        Member(
          offset: entry.offset, size: entry.size, name: names.count, nameCount: Int32(name.count),
          rawKind: entry.kind.rawValue))
      names += name
    }
    let order = names.withUnsafeBytes { names in
      func name(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: names[found[index].name..<found[index].name + Int(found[index].nameCount)])
      }
      let sorted = found.indices.sorted {
        let order = Self.compare(name($0), name($1))
        return order == 0 ? $0 < $1 : order < 0
      }
      return sorted.indices.filter { place in
        place + 1 == sorted.count || Self.compare(name(sorted[place]), name(sorted[place + 1])) != 0
      }.map { sorted[$0] }
    }
    let head = Head(members: order.count, names: names.count, archiveSize: file.count)
    let (start, stride) = (MemoryLayout<Head>.stride, MemoryLayout<Member>.stride)
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: start + order.count * stride + names.count, alignment: 64)
    memory.storeBytes(of: head, as: Head.self)
    for (place, index) in order.enumerated() {
      memory.storeBytes(of: found[index], toByteOffset: start + place * stride, as: Member.self)
    }
    UnsafeMutableRawBufferPointer(rebasing: memory[(start + order.count * stride)...]).copyBytes(from: names)
    self.init(UnsafeRawBufferPointer(memory), owner: nil)
    for (place, target) in links {
      let link = found[place]
      guard let own = self.place(of: Array(names[link.name..<link.name + Int(link.nameCount)])),
        members[own].name == link.name, let member = self[target], member.kind == .file
      else { continue }
      let resolved = Member(
        offset: member.offset, size: member.size, name: link.name, nameCount: link.nameCount, rawKind: member.rawKind)
      memory.storeBytes(of: resolved, toByteOffset: start + own * stride, as: Member.self)
    }
  }

  /// The member of a name as `path` gives it.
  subscript(name: [UInt8]) -> Member? { place(of: name).map { members[$0] } }

  private func place(of name: [UInt8]) -> Int? {
    name.withUnsafeBytes { name in
      var range = 0..<members.count
      while !range.isEmpty {
        let middle = range.lowerBound + range.count / 2
        let order = Self.compare(name, self.name(of: members[middle]))
        if order == 0 { return middle }
        range = order < 0 ? range.lowerBound..<middle : middle + 1..<range.upperBound
      }
      return nil
    }
  }

  var count: Int { members.count }

  /// In the order of their bytes.
  subscript(place: Int) -> (name: String, kind: TarEntry.Kind) {
    (String(decoding: name(of: members[place]), as: UTF8.self), members[place].kind)
  }

  /// Whether a member's name begins with this folder.
  func hasFolder(_ folder: String) -> Bool {
    let start = Array(folder.utf8) + [UInt8(ascii: "/")]
    return members.contains { $0.nameCount > start.count && name(of: $0).starts(with: start) }
      || self[Array(folder.utf8)]?.kind == .folder
  }

  private func name(of member: Member) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: names[member.name..<member.name + Int(member.nameCount)]))
  }

  /// Negative, zero or positive, as the first name stands before, at or after the second.
  private static func compare(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
    let count = min(first.count, second.count)
    if count > 0, let one = first.baseAddress, let other = second.baseAddress {
      let order = memcmp(one, other, count)
      if order != 0 { return Int(order) }
    }
    return first.count - second.count
  }

  /// A name without what leads nowhere ("./", "//", "a/../", the slash of the root); nil where it leaves the archive or
  /// names nothing.
  static func path(_ name: some Collection<UInt8>) -> [UInt8]? {
    var parts: [[UInt8]] = []
    for part in name.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
      if part.elementsEqual("..".utf8) {
        if parts.popLast() == nil { return nil }
      } else {
        parts.append(Array(part))
      }
    }
    return parts.isEmpty ? nil : Array(parts.joined(separator: [UInt8(ascii: "/")]))
  }
}
