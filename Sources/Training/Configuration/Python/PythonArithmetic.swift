/// `+ - * / //` of a Python file's values: of numbers as in Python 3, `+` of two texts or two lists, and a text or a list
/// so many times.
enum PythonArithmetic {
  /// Elements or characters that repeating may come to.
  private static let longest = 100_000

  /// - Throws: `ConfigurationError`, also for what Python knows and data don't need.
  static func combine(
    _ left: ConfigurationNode, _ symbol: PythonToken, _ right: ConfigurationNode
  ) throws -> ConfigurationNode {
    var result = left
    switch (left.content, symbol.spelling, right.content) {
    case (.scalar(let left, true), "+", .scalar(let right, true)):
      result.content = .scalar(left + right, isQuoted: true)
    case (.sequence(let left), "+", .sequence(let right)): result.content = .sequence(left + right)
    case (.scalar(let text, true), "*", .scalar(let times, false)):
      let times = try repetitions(times, of: text.count, at: symbol)
      result.content = .scalar(String(repeating: text, count: times), isQuoted: true)
    case (.sequence(let elements), "*", .scalar(let times, false)):
      let times = try repetitions(times, of: left.size, at: symbol)
      result.content = .sequence(Array(repeatElement(elements, count: times).joined()))
    case (.scalar(let left, false), _, .scalar(let right, false)):
      result.content = .scalar(try number(left, symbol, right), isQuoted: false)
    default:
      throw ConfigurationError(
        symbol.place, "'\(symbol.spelling)' of \(left.summary) and \(right.summary) is not read")
    }
    return result
  }

  /// A number behind a sign.
  static func signed(_ sign: PythonToken, _ number: ConfigurationNode) throws -> ConfigurationNode {
    guard let text = number.unquotedText, Double(text) != nil else {
      throw ConfigurationError(sign.place, "'\(sign.spelling)' of \(number.summary) is not read")
    }
    guard sign.spelling == "-" else { return number }
    var result = number
    result.content = .scalar(text.hasPrefix("-") ? String(text.dropFirst()) : "-\(text)", isQuoted: false)
    result.place = sign.place
    return result
  }

  private static func repetitions(_ times: String, of size: Int, at symbol: PythonToken) throws -> Int {
    guard let times = Int(times) else {
      throw ConfigurationError(symbol.place, "'*' wants a whole number behind a text or a list")
    }
    guard times <= longest / max(1, size) else {
      throw ConfigurationError(symbol.place, "more than \(longest) values by one '*' are not read")
    }
    return max(0, times)
  }

  private static func number(_ left: String, _ symbol: PythonToken, _ right: String) throws -> String {
    if let a = Int(left), let b = Int(right), symbol.spelling != "/" {
      let (value, overflow) =
        switch symbol.spelling {
        case "+": a.addingReportingOverflow(b)
        case "-": a.subtractingReportingOverflow(b)
        case "*": a.multipliedReportingOverflow(by: b)
        default: floorDivision(a, b)
        }
      guard !overflow else {
        throw ConfigurationError(symbol.place, "\(left) \(symbol.spelling) \(right) is no whole number of 64 bits")
      }
      return String(value)
    }
    guard let a = Double(left), let b = Double(right), symbol.spelling != "//" else {
      throw ConfigurationError(symbol.place, "\(left) \(symbol.spelling) \(right) is not read")
    }
    let value =
      switch symbol.spelling {
      case "+": a + b
      case "-": a - b
      case "*": a * b
      default: a / b
      }
    guard value.isFinite || !(a.isFinite && b.isFinite) else {
      throw ConfigurationError(symbol.place, "\(left) \(symbol.spelling) \(right) is not finite")
    }
    return "\(value)"
  }

  private static func floorDivision(_ a: Int, _ b: Int) -> (Int, Bool) {
    let (quotient, overflow) = a.dividedReportingOverflow(by: b)
    guard !overflow else { return (0, true) }
    return (quotient - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0), false)
  }
}

extension ConfigurationNode {
  /// The values in this one, itself among them.
  var size: Int {
    switch content {
    case .scalar: 1
    case .sequence(let elements): elements.reduce(1) { $0 + $1.size }
    case .mapping(let entries): entries.reduce(1) { $0 + $1.value.size }
    }
  }
}
