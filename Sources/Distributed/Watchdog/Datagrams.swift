import Foundation

/// What the machines of a run tell each other about their ranks, by UDP: nobody waits for it, and what is lost only makes a
/// message poorer.
final class Datagrams {
  /// Where a process can be reached.
  struct Address: Codable, Equatable {
    /// IPv4 addresses, in the network's order of bytes.
    let hosts: [UInt32]
    let port: UInt16
  }

  private let file: Int32
  /// Of this run; others' datagrams are passed over.
  private let token: UInt64
  let address: Address

  /// nil where the system gives no socket.
  init?(token: UInt64) {
    #if os(Linux)
      let kind = Int32(SOCK_DGRAM.rawValue)
    #else
      let kind = SOCK_DGRAM
    #endif
    let file = socket(AF_INET, kind, 0)
    guard file >= 0 else { return nil }
    _ = fcntl(file, F_SETFL, O_NONBLOCK)
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &place) { place in
      place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(file, $0, length) == 0 && getsockname(file, $0, &length) == 0
      }
    }
    guard isBound else {
      close(file)
      return nil
    }
    (self.file, self.token) = (file, token)
    address = Address(hosts: Self.ownAddresses(), port: UInt16(bigEndian: place.sin_port))
  }

  deinit { close(file) }

  /// The addresses of the interfaces that are up, without the loopback.
  private static func ownAddresses() -> [UInt32] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var (addresses, next) = ([UInt32](), list)
    while let interface = next?.pointee {
      next = interface.ifa_next
      let flags = Int(interface.ifa_flags)
      guard let address = interface.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET),
        flags & Int(IFF_UP) != 0, flags & Int(IFF_LOOPBACK) == 0
      else { continue }
      addresses.append(address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr })
    }
    return addresses
  }

  /// Numbers of one rank, as many as `width` says.
  static let width = 6
  private static let most = 24

  /// Sends the numbers of some ranks.
  func send(_ ranks: [[UInt64]], to addresses: [Address]) {
    for start in stride(from: 0, to: ranks.count, by: Self.most) {
      let numbers = [token] + ranks[start..<min(start + Self.most, ranks.count)].joined()
      for address in addresses {
        for host in address.hosts { send(numbers, host, address.port) }
      }
    }
  }

  private func send(_ numbers: [UInt64], _ host: UInt32, _ port: UInt16) {
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    (place.sin_port, place.sin_addr.s_addr) = (port.bigEndian, host)
    numbers.withUnsafeBytes { bytes in
      withUnsafePointer(to: &place) { place in
        place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = sendto(file, bytes.baseAddress, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
  }

  /// What has come since the last call: the numbers of ranks.
  func receive() -> [[UInt64]] {
    var ranks: [[UInt64]] = []
    var numbers = [UInt64](repeating: 0, count: 1 + Self.most * Self.width)
    // A flood of others' datagrams must not keep the watchdog from its work.
    for _ in 0..<4096 {
      let count = numbers.withUnsafeMutableBytes { recv(file, $0.baseAddress, $0.count, 0) }
      guard count > 0 else { break }
      guard count >= 8, numbers[0] == token else { continue }
      for index in 0..<(count / 8 - 1) / Self.width {
        ranks.append(Array(numbers[1 + index * Self.width..<1 + (index + 1) * Self.width]))
      }
    }
    return ranks
  }
}
