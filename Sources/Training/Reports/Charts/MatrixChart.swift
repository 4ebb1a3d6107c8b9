/// A square of counts with a name for each row and column, as inline SVG: the darker a cell, the larger its part of its row.
package struct MatrixChart {
  let id: String
  let title: String
  var note = ""
  /// What rows and columns are.
  let rowsTitle: String
  let columnsTitle: String
  let names: (rows: [String], columns: [String])
  /// [row][column].
  let counts: [[Int]]

  package init(
    id: String, title: String, note: String = "", rowsTitle: String, columnsTitle: String, rows: [String],
    columns: [String], counts: [[Int]]
  ) {
    (self.id, self.title, self.note, self.rowsTitle, self.columnsTitle) = (id, title, note, rowsTitle, columnsTitle)
    (names, self.counts) = ((rows, columns), counts)
  }

  /// Numbers stand in the cells of a matrix that is no larger.
  private static let mostWithNumbers = 16

  private struct Layout {
    let cell: Double
    let letters: Double
    let left: Double
    let top: Double
    let most: Int

    init(_ names: (rows: [String], columns: [String])) {
      let count = max(names.rows.count, names.columns.count)
      let isSmall = count <= MatrixChart.mostWithNumbers
      cell = isSmall ? 46 : max(12.5, min(30, 1000 / Double(count)))
      letters = isSmall ? 13.5 : min(12, cell - 2)
      most = 22
      let longest = (names.rows + names.columns).map { min($0.count, 22) }.max() ?? 0
      left = Double(longest) * letters * 0.58 + 34
      top = left
    }
  }

  package var markup: Markup {
    let layout = Layout(names)
    let width = layout.left + Double(names.columns.count) * layout.cell + 8
    let height = layout.top + Double(names.rows.count) * layout.cell + 8
    // A small matrix isn't blown up to the width of the page.
    let limit: Markup = width < 900 ? " style=\"max-width: \(Int(width))px\"" : ""
    return """
      <figure\(limit)>
      <figcaption><b>\(title)</b> \(note)</figcaption>
      <svg viewBox="0 0 \(Int(width)) \(Int(height))" role="img" aria-labelledby="\(id)-title \(id)-description">
      <title id="\(id)-title">\(title)</title>
      <desc id="\(id)-description">\(description)</desc>
      \(headings(layout, width: width, height: height))
      \(columnLines(layout))
      \(counts.indices.map { row($0, layout) })
      <rect class="frame" x="\(layout.left)" y="\(layout.top)" width="\(Double(names.columns.count) * layout.cell)" \
      height="\(Double(names.rows.count) * layout.cell)"/>
      </svg>
      </figure>
      """
  }

  private var description: String {
    let diagonal = counts.indices.reduce(0) { $0 + (counts[$1].indices.contains($1) ? counts[$1][$1] : 0) }
    return "\(names.rows.count) rows (\(rowsTitle)) and \(names.columns.count) columns (\(columnsTitle)); "
      + "\(diagonal) of \(counts.joined().reduce(0, +)) on the diagonal"
  }

  private func headings(_ layout: Layout, width: Double, height: Double) -> Markup {
    let rows = names.rows.enumerated().map { index, name -> Markup in
      let y = layout.top + (Double(index) + 0.5) * layout.cell + layout.letters * 0.35
      return """
        <text x="\(layout.left - 6)" y="\(y)" text-anchor="end" font-size="\(layout.letters)">\
        \(shortened(name, to: layout.most))</text>
        """
    }
    let columns = names.columns.enumerated().map { index, name -> Markup in
      let x = layout.left + (Double(index) + 0.5) * layout.cell + layout.letters * 0.35
      return """
        <text transform="translate(\(x) \(layout.top - 6)) rotate(-90)" font-size="\(layout.letters)">\
        \(shortened(name, to: layout.most))</text>
        """
    }
    return """
      <text class="name" x="\((layout.left + width) / 2)" y="12" text-anchor="middle">\(columnsTitle)</text>
      <text class="name" transform="translate(12 \((layout.top + height) / 2)) rotate(-90)" text-anchor="middle">\
      \(rowsTitle)</text>
      \(rows)
      \(columns)
      """
  }

  /// Lines between the columns.
  private func columnLines(_ layout: Layout) -> Markup {
    let places = names.columns.indices.dropFirst().map { column -> Markup in
      "M\(layout.left + Double(column) * layout.cell) \(layout.top)v\(Double(names.rows.count) * layout.cell)"
    }
    return "<path class=\"grid\" d=\"\(Markup(places, separator: ""))\"/>"
  }

  /// Its cells that aren't empty, over a line below the row.
  private func row(_ row: Int, _ layout: Layout) -> Markup {
    let total = counts[row].reduce(0, +)
    let y = layout.top + Double(row) * layout.cell
    let cells = counts[row].enumerated().filter { $0.element > 0 }.map { column, count -> Markup in
      let (share, x) = (Double(count) / Double(total), layout.left + Double(column) * layout.cell)
      let number: Markup =
        max(names.rows.count, names.columns.count) <= Self.mostWithNumbers
        ? """
        <text\(share > 0.5 ? Markup(" class=\"on-heat\"") : "") x="\(x + layout.cell / 2)" y="\(y + layout.cell / 2 + 4.5)" \
        text-anchor="middle" font-size="13">\(count)</text>
        """ : ""
      return """
        <g><title>\(names.rows[row]) → \(names.columns[column]): \(count) of \(total) (\(fixed(100 * share, 1)) %)</title>\
        <rect class="cell" x="\(x)" y="\(y)" width="\(layout.cell)" height="\(layout.cell)" \
        fill-opacity="\(fixed(0.08 + 0.92 * share, 2))"/>\(number)</g>
        """
    }
    let line: Markup = "<path class=\"grid\" d=\"M\(layout.left) \(y)h\(Double(names.columns.count) * layout.cell)\"/>"
    return "\(line)\(Markup(cells, separator: ""))"
  }
}
