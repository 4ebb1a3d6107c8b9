/// A type that a YAML value can be read as.
protocol ConfigurationValue {
  /// For "expected …" in messages.
  static var expected: String { get }
  /// nil where the node is something else.
  init?(configuration node: ConfigurationNode)
}

extension Int: ConfigurationValue {
  static var expected: String { "a whole number" }
  init?(configuration node: ConfigurationNode) {
    guard let text = node.unquotedText, let value = Int(text) else { return nil }
    self = value
  }
}

extension Double: ConfigurationValue {
  static var expected: String { "a number" }
  init?(configuration node: ConfigurationNode) {
    guard let text = node.unquotedText, !text.hasPrefix("0x") else { return nil }
    let infinities = [".inf": Double.infinity, "+.inf": .infinity, "-.inf": -.infinity]
    guard let value = infinities[text.lowercased()] ?? Double(text), !value.isNaN else { return nil }
    self = value
  }
}

extension Float: ConfigurationValue {
  static var expected: String { "a number" }
  init?(configuration node: ConfigurationNode) {
    guard let value = Double(configuration: node) else { return nil }
    self = Float(value)
  }
}

extension Bool: ConfigurationValue {
  static var expected: String { "true or false" }
  init?(configuration node: ConfigurationNode) {
    switch node.unquotedText?.lowercased() {
    case "true", "yes", "on": self = true
    case "false", "no", "off": self = false
    default: return nil
    }
  }
}

extension String: ConfigurationValue {
  static var expected: String { "a text" }
  init?(configuration node: ConfigurationNode) {
    guard case .scalar(let text, _) = node.content else { return nil }
    self = text
  }
}

extension Array: ConfigurationValue where Element: ConfigurationValue {
  static var expected: String { "a list, each element \(Element.expected)" }
  init?(configuration node: ConfigurationNode) {
    guard let nodes = node.elements else { return nil }
    let values = nodes.compactMap(Element.init(configuration:))
    guard values.count == nodes.count else { return nil }
    self = values
  }
}

/// An enumeration written as one of its words.
protocol ConfigurationChoice: ConfigurationValue, CaseIterable, RawRepresentable where RawValue == String {}

extension ConfigurationChoice {
  static var expected: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
  init?(configuration node: ConfigurationNode) {
    guard let text = String(configuration: node), let value = Self(rawValue: text) else { return nil }
    self = value
  }
}
