import Foundation

/// A page of HTML taken apart by the rules of XML: what it holds, and what is wrong with its form.
public struct PageContent {
  public struct Element {
    public let name: String
    public let attributes: [String: String]
  }

  public private(set) var elements: [Element] = []
  /// The text between the tags, a line for each piece.
  public private(set) var lines: [String] = []
  /// Sentences, each with its place.
  public private(set) var faults: [String] = []

  private static let start = "<!DOCTYPE html>\n"

  public init(_ page: String) {
    guard page.hasPrefix(Self.start) else {
      faults = ["it doesn't begin with \(Self.start)"]
      return
    }
    take(Array(page.utf8.dropFirst(Self.start.utf8.count)))
    checkReferences()
  }

  /// Those of a name.
  public func all(_ name: String) -> [Element] { elements.filter { $0.name == name } }

  /// The ids of the sections, in order.
  public var sections: [String] { all("section").compactMap { $0.attributes["id"] } }

  // MARK: Form

  private mutating func take(_ bytes: [UInt8]) {
    var open: [String] = []
    var position = 0
    while position < bytes.count {
      guard bytes[position] == UInt8(ascii: "<") else {
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        let text = plain(String(decoding: bytes[position..<end], as: UTF8.self))
        if open.isEmpty, !text.allSatisfy(\.isWhitespace) { faults.append("text outside of all elements: \(text)") }
        let pieces = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        lines += pieces.filter { !$0.isEmpty }
        position = end
        continue
      }
      guard let end = bytes[position...].firstIndex(of: UInt8(ascii: ">")) else {
        faults.append("a tag is not closed")
        return
      }
      let tag = String(decoding: bytes[position + 1..<end], as: UTF8.self)
      position = end + 1
      if tag.hasPrefix("/") {
        let last = open.popLast()
        if last != String(tag.dropFirst()) { faults.append("<\(tag)> closes <\(last ?? "nothing")>") }
      } else {
        let isEmpty = tag.hasSuffix("/")
        let element = element(isEmpty ? String(tag.dropLast()) : tag)
        elements.append(element)
        if !isEmpty { open.append(element.name) }
      }
    }
    if !open.isEmpty { faults.append("not closed: \(open)") }
  }

  private mutating func element(_ tag: String) -> Element {
    guard let match = tag.wholeMatch(of: /([a-z][a-z0-9]*)((?:\s+[A-Za-z-]+="[^"<]*")*)\s*/) else {
      faults.append("<\(tag.prefix(200))> is no tag of XML")
      return Element(name: String(tag.prefix { $0.isLetter }), attributes: [:])
    }
    var attributes: [String: String] = [:]
    for attribute in match.2.matches(of: /([A-Za-z-]+)="([^"]*)"/) {
      let name = String(attribute.1)
      if attributes[name] != nil { faults.append("<\(match.1)> has '\(name)' twice") }
      attributes[name] = plain(String(attribute.2))
    }
    return Element(name: String(match.1), attributes: attributes)
  }

  /// With its references replaced.
  private mutating func plain(_ text: String) -> String {
    guard text.contains("&") else { return text }
    var (plain, rest) = ("", text[...])
    while let place = rest.firstIndex(of: "&") {
      plain += rest[..<place]
      let known = ["&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": "\"", "&#39;": "'"]
      guard let (reference, character) = known.first(where: { rest[place...].hasPrefix($0.key) }) else {
        faults.append("'&' begins no reference: \(rest[place...].prefix(20))")
        return text
      }
      plain += character
      rest = rest[place...].dropFirst(reference.count)
    }
    return plain + rest
  }

  /// Nothing may come from elsewhere or run; what elements name must be there; what is to be seen is also said.
  private mutating func checkReferences() {
    let ids = elements.compactMap { $0.attributes["id"] }
    if Set(ids).count < ids.count {
      faults.append("ids stand twice: \(ids.filter { id in ids.count { $0 == id } > 1 })")
    }
    for element in elements {
      let attributes = element.attributes
      if ["script", "link", "iframe", "object", "embed", "base", "use", "image"].contains(element.name) {
        faults.append("<\(element.name)> stands in the page")
      }
      for name in ["src", "href", "srcset", "action", "data", "xlink"] {
        guard let value = attributes[name] else { continue }
        let isInside = value.hasPrefix("data:") || (value.hasPrefix("#") && ids.contains(String(value.dropFirst())))
        if !isInside { faults.append("<\(element.name)> refers to \(value.prefix(80))") }
      }
      for name in attributes.keys where name.hasPrefix("on") { faults.append("<\(element.name)> has '\(name)'") }
      for id in (attributes["aria-labelledby"] ?? "").split(separator: " ") where !ids.contains(String(id)) {
        faults.append("<\(element.name)> is labelled by \(id), which is not there")
      }
      if element.name == "img", attributes["alt"]?.isEmpty ?? true { faults.append("a picture has no text") }
      if element.name == "svg", attributes["aria-hidden"] == nil, attributes["aria-labelledby"] == nil {
        faults.append("a chart has no text")
      }
      if attributes["style"]?.contains("url(") == true { faults.append("<\(element.name)> has a style from elsewhere") }
    }
    for line in lines where line.contains("@import") || line.contains("url(") {
      faults.append("a style from elsewhere: \(line)")
    }
  }
}
