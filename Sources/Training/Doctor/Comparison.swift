/// What the reports of all hosts say together.
package struct Comparison {
  /// A finding and the hosts that have it.
  package struct Line {
    package let finding: Finding
    package let hosts: [String]
  }

  package let lines: [Line]

  /// - Parameter reports: one a host, rank 0's first.
  package init(_ reports: [HostReport]) {
    var topics: [String] = []
    var hosts: [Finding: [String]] = [:]
    var order: [Finding] = []
    for report in reports {
      for finding in report.findings {
        if !topics.contains(finding.topic) { topics.append(finding.topic) }
        if hosts[finding] == nil { order.append(finding) }
        hosts[finding, default: []].append(report.host)
      }
    }
    var lines: [Line] = []
    for topic in topics {
      let ofTopic = order.filter { $0.topic == topic }
      // What is good is said once, in the first host's words.
      let good = ofTopic.filter { $0.level == .good }
      if let first = good.first { lines.append(Line(finding: first, hosts: good.flatMap { hosts[$0] ?? [] })) }
      lines += ofTopic.filter { $0.level != .good }.map { Line(finding: $0, hosts: hosts[$0] ?? []) }
    }
    self.lines = lines + Self.versions(reports) + Self.clocks(reports)
  }

  private static func versions(_ reports: [HostReport]) -> [Line] {
    guard let first = reports.first else { return [] }
    return first.versions.map { version in
      let others = reports.filter { report in
        !report.versions.contains { $0.name == version.name && $0.value == version.value }
      }
      guard let other = others.first else {
        return Line(finding: Finding(version.name, .good, version.value), hosts: reports.map(\.host))
      }
      let value = other.versions.first { $0.name == version.name }?.value ?? "unknown"
      return Line(
        finding: Finding(
          version.name, .warning, "\(version.value) on \(first.host), but \(value) on \(other.host)",
          remedy: version.remedy), hosts: [first.host] + others.map(\.host))
    }
  }

  private static func clocks(_ reports: [HostReport]) -> [Line] {
    let sorted = reports.sorted { $0.clock < $1.clock }
    guard let early = sorted.first, let late = sorted.last, reports.count > 1 else { return [] }
    let difference = late.clock - early.clock
    let text = "\(late.host) is \(fixed(difference, 1)) s ahead of \(early.host)"
    guard difference > 2 else {
      return [Line(finding: Finding("clocks", .good, "alike within two seconds"), hosts: reports.map(\.host))]
    }
    return [
      Line(
        finding: Finding("clocks", .notice, text, remedy: "run chrony or ntpd: the times in logs and files mislead"),
        hosts: [early.host, late.host])
    ]
  }

  package func count(_ level: Finding.Level) -> Int { lines.count { $0.finding.level == level } }
}
