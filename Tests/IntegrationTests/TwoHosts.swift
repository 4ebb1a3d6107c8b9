import Foundation
import TestSupport

/// Two hosts on this machine: network namespaces with a cable between them, names of their own, and `mpirun` with a
/// launch agent that enters the other one as `ssh` would. They share the file system, as a cluster does.
final class TwoHosts {
  /// Whether namespaces, cables and names may be made here: as root, and not in every container.
  static let arePermitted: Bool = {
    guard areInstalled("ip", "unshare", "mpirun"), getuid() == 0 else { return false }
    let name = "rcnn-trial-\(getpid())"
    guard run("ip", "netns", "add", name) else { return false }
    defer { run("ip", "netns", "del", name) }
    return run("ip", "netns", "exec", name, "unshare", "--uts", "hostname", "trial")
      && run("ip", "-n", name, "link", "add", "rct1", "type", "veth", "peer", "name", "rct2")
  }()

  private let program: Program
  private let names: [String]
  private let cables: [String]
  private static let addresses = ["10.199.77.1", "10.199.77.2"]

  init(_ program: Program) throws {
    self.program = program
    let key = String(UInt16.random(in: 0 ... .max), radix: 36)
    (names, cables) = (["rcnn-\(key)-1", "rcnn-\(key)-2"], ["rc\(key)a", "rc\(key)b"])
    for name in names { Self.run("ip", "netns", "add", name) }
    Self.run("ip", "link", "add", cables[0], "type", "veth", "peer", "name", cables[1])
    for host in 0..<2 {
      Self.run("ip", "link", "set", cables[host], "netns", names[host])
      Self.run("ip", "-n", names[host], "addr", "add", "\(Self.addresses[host])/24", "dev", cables[host])
      Self.run("ip", "-n", names[host], "link", "set", "lo", "up")
      Self.run("ip", "-n", names[host], "link", "set", cables[host], "up")
    }
    try program.folder.write(Self.addresses.map { "\($0) slots=2\n" }.joined(), to: "hosts")
    // Open MPI calls it as it calls ssh: options, a host, a command for that host's shell.
    try program.folder.write(
      """
      #!/bin/bash
      while [[ $1 == -* ]]; do shift; done
      case $1 in \(Self.addresses[0])) number=1 ;; *) number=2 ;; esac
      shift
      mounts=
      if [ $number = 2 ] && [ -e \(program.folder.path("other")) ]; then
        mounts="mount --bind \(program.folder.path("other")) $(cat \(program.folder.path("other.place"))); "
      fi
      exec ip netns exec rcnn-\(key)-$number unshare --uts --mount sh -c "hostname host$number; $mounts$*"

      """, to: "agent")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.folder.path("agent"))
  }

  deinit {
    for name in names {
      for process in processes(named: name) { kill(process, SIGKILL) }
      Self.run("ip", "netns", "del", name)
    }
  }

  /// Two ranks on each host.
  func start(_ arguments: [String]) throws -> RunningProgram {
    let mpirun =
      ["mpirun", "-np", "4", "--hostfile", program.folder.path("hosts"), "--bind-to", "none", "--map-by", "slot"]
      + ["-x", "OMP_NUM_THREADS", Program.executable] + arguments
    // Open MPI 4 reads OMPI_MCA_…, the runtime of 5 PRTE_MCA_….
    let network = "10.199.77.0/24"
    return try RunningProgram(
      ["ip", "netns", "exec", names[0], "unshare", "--uts", "sh", "-c", "hostname host1; exec \"$@\"", "sh"] + mpirun,
      in: program.folder,
      environment: [
        "OMPI_MCA_plm_rsh_agent": program.folder.path("agent"), "PRTE_MCA_plm_ssh_agent": program.folder.path("agent"),
        "OMPI_MCA_oob_tcp_if_include": network, "PRTE_MCA_prte_if_include": network,
        "OMPI_MCA_btl_tcp_if_include": network,
      ])
  }

  /// From now on the second host has other content in this file of the folder.
  func giveSecondHost(_ text: String, inPlaceOf name: String) throws {
    try program.folder.write(text, to: "other")
    try program.folder.write(program.folder.path(name), to: "other.place")
  }

  /// As if somebody had pulled the cable.
  func cutCable() { Self.run("ip", "-n", names[0], "link", "set", cables[0], "down") }

  /// To so many megabits a second.
  func slowCable(megabits: Int) {
    for (name, cable) in zip(names, cables) {
      Self.run(
        "tc", "-n", name, "qdisc", "add", "dev", cable, "root", "tbf", "rate", "\(megabits)mbit", "burst", "64kb",
        "latency", "1s")
    }
  }

  /// The second host loses its power: its processes are gone, and nobody says good-bye.
  func killSecondHost() {
    Self.run("ip", "-n", names[1], "link", "set", cables[1], "down")
    for process in processes(named: names[1]) { kill(process, SIGKILL) }
  }

  /// The processes of rcnn-train on a host, 0 or 1.
  func ranks(on host: Int) -> [Int32] {
    processes(named: names[host]).filter { process in
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
      return target == Program.executable
    }
  }

  private func processes(named name: String) -> [Int32] {
    Self.output("ip", "netns", "pids", name).split(separator: "\n").compactMap { Int32($0) }
  }

  @discardableResult
  private static func run(_ command: String...) -> Bool { output(of: command) != nil }
  private static func output(_ command: String...) -> String { output(of: command) ?? "" }

  /// nil where it fails.
  private static func output(of command: [String]) -> String? {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    (process.standardOutput, process.standardError) = (output, FileHandle.nullDevice)
    guard (try? process.run()) != nil else { return nil }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationStatus == 0 ? text : nil
  }
}
