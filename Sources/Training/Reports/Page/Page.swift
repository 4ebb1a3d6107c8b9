/// One HTML file that needs nothing else: no scripts, no fonts, no styles or pictures from elsewhere.
package struct Page {
  package let title: String
  /// Below the title.
  package let summary: Markup
  package let sections: [PageSection]
  /// Which program made it.
  package let producer: String

  package init(title: String, summary: Markup, sections: [PageSection], producer: String) {
    (self.title, self.summary, self.sections, self.producer) = (title, summary, sections, producer)
  }

  package var text: String {
    let entries = sections.map { "<li><a href=\"#\($0.id)\">\($0.title)</a></li>" as Markup }
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="generator" content="\(producer)"/>
      <title>\(title)</title>
      <style>
      \(PageStyle.text)
      </style>
      </head>
      <body>
      <header>
      <h1>\(title)</h1>
      \(summary)
      </header>
      <nav aria-label="Contents">
      <ol>
      \(entries)
      </ol>
      </nav>
      <main>
      \(sections.map(\.markup))
      </main>
      <footer><p>\(producer)</p></footer>
      </body>
      </html>

      """
    return page.text
  }
}

/// A section of a page with a heading, which the contents name.
package struct PageSection {
  package let id: String
  package let title: String
  package let body: [Markup]
  /// On paper it begins on no page of its own.
  private var isShort = false

  package init(_ id: String, _ title: String, _ body: [Markup]) { (self.id, self.title, self.body) = (id, title, body) }

  /// A section that says why it is empty.
  package init(_ id: String, _ title: String, missing reason: String) {
    self.init(id, title, ["<p class=\"missing\">\(reason)</p>"])
    isShort = true
  }

  fileprivate var markup: Markup {
    """
    <section id="\(id)"\(isShort ? Markup(" class=\"short\"") : "") aria-labelledby="\(id)-heading">
    <h2 id="\(id)-heading">\(title)</h2>
    \(body)
    </section>
    """
  }
}

/// Rows of a table with a heading a column; the first cell of a row is what the row is about.
package struct PageTable {
  package struct Column {
    let title: String
    let isNumber: Bool
    /// What the title means.
    var explanation: String?

    static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
    static func number(_ title: String, _ explanation: String? = nil) -> Column {
      Column(title: title, isNumber: true, explanation: explanation)
    }
  }

  let caption: String
  let columns: [Column]
  var rows: [[Markup]] = []

  var markup: Markup {
    let head = columns.map { column -> Markup in
      let explanation: Markup = column.explanation.map { " title=\"\($0)\"" } ?? ""
      return "<th scope=\"col\"\(column.isNumber ? Markup(" class=\"number\"") : "")\(explanation)>\(column.title)</th>"
    }
    let body = rows.map { cells -> Markup in
      let cells = zip(columns, cells).enumerated().map { index, cell -> Markup in
        let kind: Markup = cell.0.isNumber ? " class=\"number\"" : ""
        return index == 0 ? "<th scope=\"row\"\(kind)>\(cell.1)</th>" : "<td\(kind)>\(cell.1)</td>"
      }
      return "<tr>\(Markup(cells, separator: ""))</tr>"
    }
    return """
      <div class="scroll"><table>
      <caption>\(caption)</caption>
      <thead><tr>\(Markup(head, separator: ""))</tr></thead>
      <tbody>
      \(body)
      </tbody>
      </table></div>
      """
  }
}

extension Markup {
  /// Names and what they are, one below the other.
  static func facts(_ facts: [(String, Markup)]) -> Markup {
    let rows = facts.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" as Markup }
    return "<dl class=\"facts\">\n\(rows)\n</dl>"
  }

  /// A list of sentences that the reader should know of; nothing where there is none.
  static func notices(_ texts: [String]) -> Markup {
    guard !texts.isEmpty else { return "" }
    return "<ul class=\"notices\">\n\(texts.map { "<li>\($0)</li>" as Markup })\n</ul>"
  }

  static func paragraph(_ text: String) -> Markup { "<p>\(text)</p>" }

  /// Charts side by side as far as there is room.
  static func charts(_ charts: [Markup]) -> Markup { "<div class=\"charts\">\n\(charts)\n</div>" }
}
