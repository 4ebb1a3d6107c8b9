import Foundation
import MPI
import Testing
import Training

@Suite("Doctor") struct DoctorTests {
  @Test("The limits of a control group are the least of its own and those above it, in both versions")
  func controlGroups() {
    let second = [
      "/sys/fs/cgroup/job/step/cpu.max": "max 100000\n", "/sys/fs/cgroup/job/cpu.max": "250000 100000\n",
      "/sys/fs/cgroup/job/step/memory.max": "1073741824\n", "/sys/fs/cgroup/job/memory.max": "2147483648\n",
    ]
    #expect(ControlGroup(groups: "0::/job/step\n") { second[$0] } == ControlGroup(cores: 2.5, memory: 1 << 30))
    let first = [
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "/sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us": "150000",
      "/sys/fs/cgroup/cpu/docker/a/cpu.cfs_period_us": "100000",
      "/sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes": "9223372036854771712",
    ]
    let groups = "3:cpu,cpuacct:/docker/a\n4:memory:/docker/a\n1:name=systemd:/docker/a\n"
    #expect(ControlGroup(groups: groups) { first[$0] } == ControlGroup(cores: 1.5, memory: nil))
    #expect(ControlGroup(groups: "0::/\n") { _ in nil } == ControlGroup())
  }

  @Test("Of a control group's memory what it holds of files counts as left") func memoryRoom() {
    let files = [
      "/sys/fs/cgroup/job/memory.max": "1000", "/sys/fs/cgroup/job/memory.current": "900",
      "/sys/fs/cgroup/job/memory.stat": "anon 500\nfile 400\ninactive_file 300\nactive_file 100",
      "/sys/fs/cgroup/memory.max": "5000", "/sys/fs/cgroup/memory.current": "4700",
    ]
    #expect(ControlGroup(groups: "0::/job") { files[$0] } == ControlGroup(memory: 1000, memoryRoom: 300))
    let full = [
      "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "10", "/sys/fs/cgroup/memory/a/memory.usage_in_bytes": "20",
    ]
    #expect(ControlGroup(groups: "4:memory:/a") { full[$0] } == ControlGroup(memory: 10, memoryRoom: 0))
  }

  @Test("More threads than the control group grants are a warning with the number that fits") func quota() throws {
    let cores = CoreShare(allowed: 8, fair: 4, machine: 8, localSize: 2)
    func finding(_ limit: Double) throws -> Finding {
      let all = CoreFindings.all(cores, group: ControlGroup(cores: limit), environment: [:])
      return try #require(all.first { $0.topic == "quota" })
    }
    #expect(try finding(8).level == .good)
    let low = try finding(4.5)
    #expect(low.level == .warning)
    #expect(low.text.contains("grants 4.5 cores of time, and 2 × 4 threads want 8"))
    #expect(low.remedy?.contains("mpi.threads_per_rank to 2,") == true)
  }

  @Test("A bound rank is told how to get its cores") func binding() throws {
    let cores = CoreShare(allowed: 1, fair: 1, machine: 8, localSize: 2)
    let threads = try #require(
      CoreFindings.all(cores, group: ControlGroup(), environment: [:]).first { $0.topic == "threads" })
    #expect(threads.level == .warning)
    #expect(threads.remedy == "start with 'mpirun --bind-to none' or 'mpirun --map-by slot:pe=4'")
  }

  @Test("Interfaces that lead to no other host are named, with the one to use") func networks() throws {
    #expect(TransportFindings.networks(["eth0"], hosts: 2).map(\.level) == [.good])
    let found = try #require(TransportFindings.networks(["docker0", "ib0"], hosts: 2).first)
    #expect(found.level == .warning)
    #expect(found.text.contains("docker0 lead to no other host"))
    #expect(found.remedy?.contains("btl_tcp_if_include ib0") == true)
    #expect(TransportFindings.networks(["docker0", "eth0"], hosts: 1).map(\.level) == [.notice])
    #expect(TransportFindings.networks([], hosts: 2).map(\.level) == [.warning])
  }

  @Test("A folder is tried and left as it was; one that can't be written to is a warning") func folders() throws {
    let scratch = try Scratch()
    let found = FolderFindings.all("\(scratch.path)/not/yet")
    #expect(found.contains { $0.topic == "writing" && $0.level == .good }, "\(found)")
    #expect(found.contains { $0.topic == "locks" && $0.level == .good }, "\(found)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
    // Nobody, not even root, makes folders there.
    let hopeless = FolderFindings.all("/proc/work")
    #expect(hopeless.contains { $0.topic == "writing" && $0.level == .warning && $0.remedy != nil }, "\(hopeless)")
  }

  @Test("Hosts are compared: versions, clocks, and findings of some of them") func comparison() throws {
    func report(_ host: String, _ version: String, clock: Double, _ level: Finding.Level) -> HostReport {
      HostReport(
        host: host,
        findings: [Finding("cores", .good, "8 on \(host)"), Finding("/dev/shm", level, "room")],
        versions: [HostReport.Version("HDF5", version, remedy: "install the same on all hosts")], clock: clock)
    }
    let alike = Comparison([report("a", "1.10.8", clock: 5, .good), report("b", "1.10.8", clock: 5.1, .good)])
    #expect(alike.count(.warning) == 0 && alike.count(.notice) == 0)
    #expect(alike.lines.map(\.finding.topic) == ["cores", "/dev/shm", "HDF5", "clocks"])
    let other = Comparison([report("a", "1.10.8", clock: 5, .good), report("b", "1.14.5", clock: 65, .warning)])
    let warnings = other.lines.filter { $0.finding.level == .warning }
    #expect(warnings.map(\.finding.topic) == ["/dev/shm", "HDF5"])
    #expect(warnings[0].hosts == ["b"])
    #expect(warnings[1].finding.text == "1.10.8 on a, but 1.14.5 on b")
    #expect(other.lines.last?.finding.text == "b is 60.0 s ahead of a")
  }
}
