internal import CMachine
import Foundation
import Primitives

/// How the ranks reach each other: shared memory and copies between processes on a host, networks between hosts.
package enum TransportFindings {
  package static func all(localSize: Int, hosts: Int) -> [Finding] {
    var findings = [sharedMemory(localSize), copies(localSize)]
    if let leftOvers = leftOvers(in: "/dev/shm") { findings.append(leftOvers) }
    return findings + networks(networkNames(), hosts: hosts)
  }

  /// What Open MPI takes there for each rank of a host (`btl_vader_segment_size`).
  private static let segment = 4 << 20

  private static func sharedMemory(_ ranks: Int) -> Finding {
    guard FileManager.default.fileExists(atPath: "/dev/shm") else {
      return Finding(
        "/dev/shm", .warning, "it is not there", remedy: "mount a tmpfs there, or docker run --shm-size=1g")
    }
    let free = WholeFile.freeBytes(beside: "/dev/shm/x") ?? 0
    let text =
      "\(free >> 20) MiB free; Open MPI takes \(segment >> 20) MiB for each of \(ranks) ranks, the annotations of a "
      + "large data set some 60 MiB"
    if free < ranks * segment {
      return Finding(
        "/dev/shm", .warning, text,
        remedy: "a larger one (mount -o remount,size=1g /dev/shm; docker run --shm-size=1g), or "
          + "OMPI_MCA_btl=self,tcp")
    }
    return Finding("/dev/shm", free < ranks * segment + (64 << 20) ? .notice : .good, text)
  }

  /// Containers often forbid what Open MPI copies large messages with.
  private static func copies(_ ranks: Int) -> Finding {
    let code = machine_copy_between_processes()
    let scope = SystemSettings.text("/proc/sys/kernel/yama/ptrace_scope").flatMap { Int($0) } ?? 0
    if code == 0, scope < 2 {
      return Finding("copies", .good, "processes may read each other's memory (CMA): one copy for a large message")
    }
    let reason = code == 0 ? "kernel.yama.ptrace_scope is \(scope)" : String(cString: strerror(code))
    return Finding(
      "copies", .notice, "processes may not read each other's memory (\(reason)): two copies for a large message",
      remedy: "where Open MPI prints 'Read -1, expected …': OMPI_MCA_btl_vader_single_copy_mechanism=none (Open MPI 4) "
        + "or OMPI_MCA_smsc=^cma (5); docker run --cap-add=SYS_PTRACE allows them")
  }

  /// Segments of runs whose mpirun was killed stay until somebody removes them.
  package static func leftOvers(in folder: String) -> Finding? {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter {
      $0.hasPrefix("vader_segment.") || $0.hasPrefix("sm_segment.")
    }
    let old = names.filter { name in
      let date = (try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)"))?[.modificationDate] as? Date
      return date.map { $0.timeIntervalSinceNow < -86_400 } ?? false
    }
    guard !old.isEmpty else { return nil }
    return Finding(
      "left-overs", .notice,
      "\(old.count) segments of Open MPI in \(folder) are older than a day: of runs that were killed, as a rule",
      remedy: "when no run of yours is older: rm \(folder)/{vader,sm}_segment.*")
  }

  /// Interfaces that are up, but the loopback.
  private static func networkNames() -> [String] {
    let root = "/sys/class/net"
    return ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted().filter {
      $0 != "lo" && ["up", "unknown"].contains(SystemSettings.text("\(root)/\($0)/operstate") ?? "")
    }
  }

  /// Bridges of containers and virtual machines have the same address on every host: Open MPI tries them and waits.
  package static func networks(_ names: [String], hosts: Int) -> [Finding] {
    let prefixes = ["docker", "virbr", "br-", "cni", "flannel", "podman", "lxcbr", "lxdbr", "vmnet", "cali", "veth"]
    let private_ = names.filter { name in prefixes.contains { name.hasPrefix($0) } }
    let real = names.filter { !private_.contains($0) }
    let text = "interfaces: \(names.isEmpty ? "none" : names.joined(separator: ", "))"
    guard !private_.isEmpty else {
      guard real.isEmpty, hosts > 1 else { return [Finding("network", .good, text)] }
      return [Finding("network", .warning, text, remedy: "no interface is up that other hosts could reach")]
    }
    let usable = real.first ?? "eth0"
    return [
      Finding(
        "network", hosts > 1 ? .warning : .notice,
        "\(text); \(private_.joined(separator: ", ")) lead to no other host, and Open MPI may wait on them for ever",
        remedy: "mpirun --mca btl_tcp_if_include \(usable) --mca oob_tcp_if_include \(usable)")
    ]
  }
}
