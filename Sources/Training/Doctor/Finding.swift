/// What `rcnn-train doctor` found out about one thing on one host.
package struct Finding: Codable, Hashable {
  package enum Level: String, Codable, CaseIterable {
    case good, notice
    /// Training would be slow, fail or hang.
    case warning
  }

  /// For example `/dev/shm`.
  package let topic: String
  package let level: Level
  package let text: String
  /// What to do; a warning has one.
  package let remedy: String?

  package init(_ topic: String, _ level: Level, _ text: String, remedy: String? = nil) {
    (self.topic, self.level, self.text, self.remedy) = (topic, level, text, remedy)
  }
}

/// A host's findings as they travel to rank 0.
package struct HostReport: Codable {
  package let host: String
  package let findings: [Finding]
  /// What has to be alike on all hosts: the name of the thing, its value, and what to do where they differ.
  package let versions: [Version]
  /// Seconds since 1970, taken by all ranks at one moment.
  package let clock: Double

  package struct Version: Codable, Hashable {
    package let name: String
    package let value: String
    package let remedy: String

    package init(_ name: String, _ value: String, remedy: String) {
      (self.name, self.value, self.remedy) = (name, value, remedy)
    }
  }

  package init(host: String, findings: [Finding], versions: [Version], clock: Double) {
    (self.host, self.findings, self.versions, self.clock) = (host, findings, versions, clock)
  }
}
