import Primitives

/// Bars with their names and values, one below the other, as inline SVG.
package struct BarChart {
  package struct Bar {
    let name: String
    let value: Double
    /// As it is written behind the bar.
    let label: String
    /// What the name means, for those who point at it.
    let explanation: String

    package init(name: String, value: Double, label: String, explanation: String = "") {
      (self.name, self.value, self.label, self.explanation) = (name, value, label, explanation)
    }
  }

  let id: String
  let title: String
  let note: String
  let bars: [Bar]

  package init(id: String, title: String, note: String = "", bars: [Bar]) {
    (self.id, self.title, self.note, self.bars) = (id, title, note, bars)
  }

  private static let (width, left, right, pitch) = (640.0, 150.0, 90.0, 27.0)

  package var markup: Markup {
    let largest = bars.map(\.value).max() ?? 0
    let scale = (Self.width - Self.left - Self.right) / (largest > 0 ? largest : 1)
    let rows = bars.enumerated().map { index, bar -> Markup in
      let y = Double(index) * Self.pitch
      let length = max(0, bar.value) * scale
      return """
        <g><title>\(bar.name): \(bar.label). \(bar.explanation)</title>\
        <text x="\(Self.left - 9)" y="\(y + 18)" text-anchor="end" font-size="13.5">\(shortened(bar.name, to: 20))</text>\
        <rect class="c0" x="\(Self.left)" y="\(y + 5)" width="\(length)" height="\(Self.pitch - 9)"/>\
        <text class="tick" x="\(Self.left + length + 7)" y="\(y + 18)">\(bar.label)</text></g>
        """
    }
    let list = bars.map { "\($0.name) \($0.label)" }.joined(separator: ", ")
    let height = Double(bars.count) * Self.pitch + 4
    return """
      <figure>
      <figcaption><b>\(title)</b> \(note)</figcaption>
      <svg viewBox="0 0 \(Int(Self.width)) \(Int(height))" role="img" aria-labelledby="\(id)-title \(id)-description">
      <title id="\(id)-title">\(title)</title>
      <desc id="\(id)-description">\(list)</desc>
      <path class="grid" d="M\(Self.left) 0V\(height)"/>
      \(rows)
      </svg>
      </figure>
      """
  }
}

/// As much of a name as there is room for.
func shortened(_ name: String, to count: Int) -> String {
  name.count > count ? "\(name.prefix(count - 1))…" : name
}
