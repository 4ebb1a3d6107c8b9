import Foundation

/// A file that says that a process is at work in a folder, so that no second one begins there.
///
/// It is created exclusively, names its process, and is renewed every few seconds: a counter in it goes up. A lock whose
/// process is dead is taken over. On the same machine that is known: there is no such process, or another one of that
/// number, begun at another time. From another machine, or after a restart of this one, only what can be seen counts,
/// since clocks of two machines differ and locks of files don't cross every network: a counter that stands still for as
/// long as `patience` is that of a dead one.
public final class LockFile {
  public struct Timing: Sendable {
    /// Between two renewals.
    public var renewal = 2.0
    /// How long a foreign lock is watched.
    public var patience = 12.0
    /// How long a process of this machine gets to end, which it may be about to.
    public var ending = 3.0

    public init() {}
  }

  public enum Failure: Error, Equatable {
    /// By a process that lives, in words; nil where its file can't be read.
    case taken(by: String?)
    case file(FileError)
  }

  /// Whose lock of a dead process was taken over, in words.
  public let predecessor: String?
  private let renewing: Renewing

  /// - Parameters:
  ///   - path: the file, in a folder that is there.
  ///   - timing: how often it is renewed, and how long another one is watched.
  public init(_ path: String, timing: Timing = Timing()) throws(Failure) {
    let owner = LockOwner.this
    var predecessor: String?
    while true {
      do throws(FileError) {
        let file = try FileStream(creating: path, isNew: true)
        do throws(FileError) {
          try file.write(owner.text)
          try file.close()
        } catch {
          unlink(path)
          throw error
        }
        break
      } catch {
        guard error.code == EEXIST else { throw .file(error) }
      }
      guard let found = LockFile.contents(path) else { continue }
      let who = LockOwner(found)
      guard LockFile.isDead(path, found, who, timing) else { throw .taken(by: who?.description) }
      if LockFile.remove(path, holding: found, for: owner) { predecessor = who?.description ?? "an unknown process" }
    }
    self.predecessor = predecessor
    renewing = Renewing(path: path, owner: owner, interval: timing.renewal)
    let renewing = self.renewing
    SystemThread.start("lock") { renewing.run() }
  }

  deinit { release() }

  /// Whether the file still names this process. It doesn't where this process was stopped for so long that another one
  /// took it for dead.
  public var isHeld: Bool { renewing.isHeld }

  /// Removes the file. To be called once; nothing happens where it is another's.
  public func release() { renewing.end() }

  /// nil where there is no file.
  private static func contents(_ path: String) -> Data? { FileManager.default.contents(atPath: path) }

  private static func isDead(_ path: String, _ found: Data, _ who: LockOwner?, _ timing: Timing) -> Bool {
    /// Whether something becomes so within a time.
    func comes(within seconds: Double, _ condition: () -> Bool) -> Bool {
      let deadline = ContinuousClock.now + .seconds(seconds)
      while !condition() {
        if ContinuousClock.now > deadline { return false }
        usleep(100_000)
      }
      return true
    }
    if let who, who.isOfThisMachine { return comes(within: timing.ending) { !who.isAlive } }
    return !comes(within: timing.patience) { contents(path) != found }
  }

  /// Takes the file away, if it still is the one that was found: another process may have come first.
  private static func remove(_ path: String, holding found: Data, for owner: LockOwner) -> Bool {
    let aside = "\(path).\(owner.host).\(owner.process).partial"
    guard rename(path, aside) == 0 else { return false }
    defer { unlink(aside) }
    guard contents(aside) != found else { return true }
    link(aside, path)
    return false
  }

  /// Counts in the file as long as it is this process's.
  private final class Renewing: @unchecked Sendable {
    private let path: String
    private let owner: LockOwner
    private let interval: Double
    private let condition = NSCondition()
    private var isEnded = false

    init(path: String, owner: LockOwner, interval: Double) {
      (self.path, self.owner, self.interval) = (path, owner, interval)
    }

    var isHeld: Bool { LockFile.contents(path).flatMap { LockOwner($0) } == owner }

    func run() {
      var count = 0
      condition.withLock {
        while !isEnded {
          _ = condition.wait(until: Date(timeIntervalSinceNow: interval))
          count += 1
          if !isEnded, isHeld { write(count) }
        }
      }
    }

    func end() {
      condition.withLock {
        if !isEnded, isHeld { unlink(path) }
        isEnded = true
        condition.broadcast()
      }
    }

    /// The digits at the end alone, so that whoever reads meanwhile finds the rest.
    private func write(_ count: Int) {
      let file = open(path, O_WRONLY | O_CLOEXEC)
      guard file >= 0 else { return }
      defer { close(file) }
      let digits = Array(LockOwner.digits(count).utf8)
      pwrite(file, digits, digits.count, off_t(owner.text.utf8.count - digits.count))
    }
  }
}

/// What a lock file says of its process.
struct LockOwner: Equatable, CustomStringConvertible {
  let host: String
  let process: Int32
  /// What tells a machine, since it was started, from another of that name, and a container from another.
  let machine: String
  /// The process's own start, which tells it from a later one of its number.
  let start: String
  /// The same as a time of day.
  let since: String

  static var this: LockOwner {
    LockOwner(
      host: ProcessInfo.processInfo.hostName, process: getpid(), machine: thisMachine,
      start: startTime(of: getpid()) ?? "-",
      since: Date.now.formatted(Date.ISO8601FormatStyle(timeZone: .gmt)))
  }

  private init(host: String, process: Int32, machine: String, start: String, since: String) {
    (self.host, self.process, self.machine, self.start, self.since) = (host, process, machine, start, since)
  }

  /// nil where the file is none of this kind, or not yet whole.
  init?(_ data: Data) {
    var fields: [Substring: String] = [:]
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1)
      if parts.count == 2 { fields[parts[0]] = String(parts[1]) }
    }
    guard let host = fields["host"], let process = fields["process"].flatMap({ Int32($0) }),
      let machine = fields["machine"], let start = fields["start"], let since = fields["since"],
      fields["renewed"]?.count == Self.digits(0).count - 1
    else { return nil }
    self.init(host: host, process: process, machine: machine, start: start, since: since)
  }

  var text: String {
    """
    host \(host)
    process \(process)
    machine \(machine)
    start \(start)
    since \(since)
    renewed \(Self.digits(0))
    """
  }

  /// With a newline.
  static func digits(_ count: Int) -> String { String(format: "%010d\n", count) }

  var description: String { "process \(process) on \(host), since \(since)" }

  var isOfThisMachine: Bool { host == ProcessInfo.processInfo.hostName && machine == Self.thisMachine }

  /// Of a process of this machine.
  var isAlive: Bool { Self.startTime(of: process) == start }

  private static var thisMachine: String {
    let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? "-"
    let space = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? "-"
    return "\(boot.trimmingCharacters(in: .whitespacesAndNewlines)) \(space)"
  }

  /// In the kernel's ticks since the machine's start; nil where there is no such process, or it is only waiting for its
  /// parent to look at it.
  private static func startTime(of process: Int32) -> String? {
    // `1234 (name) S parent …`: the state is the first field behind the name, the start the twentieth.
    guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return nil }
    let fields = String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
    return String(fields[19])
  }
}
