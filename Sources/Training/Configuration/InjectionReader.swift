import Distributed

/// `mpi.inject`: a text such as `kill rank=1 step=7`, or a list of them.
extension ConfigurationSection {
  func faults(_ key: String) throws -> [Fault] {
    guard let node = node(key) else { return [] }
    var faults: [Fault] = []
    for element in node.elements ?? [node] {
      let fault = try FaultReader(name: name(of: key), node: element).read()
      guard !faults.contains(where: { $0.text == fault.text }) else {
        throw ConfigurationError(element.place, "'\(name(of: key))' has '\(fault.text)' twice, and each happens once")
      }
      faults.append(fault)
    }
    if !faults.isEmpty {
      let texts = faults.map(\.text).joined(separator: ", ")
      notice(key, "is on: this run makes faults on purpose (\(texts)), each once for a work directory")
    }
    return faults
  }
}

/// Reads one fault: its kind and `KEY=VALUE`s.
private struct FaultReader {
  let name: String
  let node: ConfigurationNode

  func read() throws -> Fault {
    guard let text = String(configuration: node) else {
      throw error("is \(node.summary), expected a text such as 'kill rank=1 step=7', or a list of them")
    }
    let words = text.split(separator: " ").map(String.init)
    guard let kind = words.first.flatMap(Fault.Kind.init) else {
      let kinds = Fault.Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw error("has the fault '\(words.first ?? "")', expected one of \(kinds)")
    }
    let known = ["rank", "step"] + Self.options(of: kind)
    var values: [String: String] = [:]
    for word in words.dropFirst() {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, known.contains(parts[0]), values.updateValue(parts[1], forKey: parts[0]) == nil else {
        throw error(
          "has '\(word)' in '\(text)', expected each once: \(known.map { "\($0)=…" }.joined(separator: ", "))")
      }
    }
    func number(_ key: String, _ range: ClosedRange<Int>, default usual: Int? = nil) throws -> Int {
      if values[key] == nil, let usual { return usual }
      guard let value = values[key].flatMap({ Int($0) }), range.contains(value) else {
        throw error(
          "\(values[key].map { "has \(key)=\($0)" } ?? "lacks '\(key)='") in '\(text)', expected a whole number "
            + "from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
    let rank = try number("rank", 0...1 << 20, default: kind == .fullDisk ? 0 : nil)
    var fault = Fault(
      kind, rank: rank, step: try number("step", 1...1 << 50), text: words.joined(separator: " "))
    fault.parameter = values["parameter"]
    fault.bit = try number("bit", 0...31, default: fault.bit)
    fault.times = try number("times", 1...1000, default: fault.times)
    if kind == .slow || kind == .delay { fault.duration = .milliseconds(try number("ms", 1...1 << 30)) }
    if values["seconds"] != nil { fault.duration = .seconds(try number("seconds", 1...1 << 30)) }
    return fault
  }

  private static func options(of kind: Fault.Kind) -> [String] {
    switch kind {
    case .kill, .stop, .swap: []
    case .stall: ["seconds"]
    case .flip: ["parameter", "bit"]
    case .nan: ["parameter"]
    case .fullDisk: ["times"]
    case .slow, .delay: ["ms"]
    }
  }

  private func error(_ message: String) -> ConfigurationError {
    ConfigurationError(node.place, "'\(name)' \(message)")
  }
}
