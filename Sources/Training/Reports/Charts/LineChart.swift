import Primitives

/// Lines over a common axis, as inline SVG with a legend.
package struct LineChart {
  package struct Line {
    package let name: String
    /// In the order of x; where y is not a number there is a gap.
    package let points: [SIMD2<Double>]
    /// Drawn thicker than the others.
    package var isStrong = false

    package init(_ name: String, _ points: [SIMD2<Double>], isStrong: Bool = false) {
      (self.name, self.points, self.isStrong) = (name, points, isStrong)
    }
  }

  /// Of the page.
  let id: String
  let title: String
  let horizontal: String
  let vertical: String
  let lines: [Line]
  /// Behind the title.
  var note = ""
  /// Whether each point is drawn, where there is room.
  var showsPoints = false
  /// nil: what the lines cover.
  var xRange: ClosedRange<Double>?
  /// nil: what the lines cover, and 0.
  var yRange: ClosedRange<Double>?
  /// Whether the vertical axis has its 0.
  var startsAtZero = true
  /// Where something happened that lines are broken by: a run was resumed.
  var marks: [Double] = []
  /// A point that is named in the chart.
  var highlight: (point: SIMD2<Double>, name: String)?

  package init(id: String, title: String, horizontal: String, vertical: String, lines: [Line]) {
    (self.id, self.title, self.horizontal, self.vertical, self.lines) = (id, title, horizontal, vertical, lines)
  }

  private static let (width, height) = (640.0, 300.0)
  private static let (left, right, top, bottom) = (72.0, 14.0, 10.0, 46.0)

  package var markup: Markup {
    let values = lines.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
    guard let first = values.first else {
      return "<figure><figcaption><b>\(title)</b></figcaption><p class=\"missing\">There are no values.</p></figure>"
    }
    let xs = values.reduce(first.x...first.x) { min($0.lowerBound, $1.x)...max($0.upperBound, $1.x) }
    let vertical = yRange ?? 0...UpperEdge(values.map(\.y)).value
    let (x, y) = (
      ChartAxis(covering: xRange ?? xs, most: 8, isExact: true),
      ChartAxis(covering: (startsAtZero ? min(vertical.lowerBound, 0) : vertical.lowerBound)...vertical.upperBound)
    )
    let beyond = values.filter { $0.y > y.range.upperBound }
    let edge = beyond.map(\.y).max().map {
      " \(beyond.count) values lie above the upper edge, the largest is \(significant($0))."
    }
    return """
      <figure>
      <figcaption><b>\(title)</b> \(note)\(edge ?? "")</figcaption>
      <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-labelledby="\(id)-title \(id)-description">
      <title id="\(id)-title">\(title)</title>
      <desc id="\(id)-description">\(description)</desc>
      \(axes(x, y))
      \(marks.map { "<path class=\"resumed\" d=\"M\(place($0, x)) \(Self.top)V\(Self.height - Self.bottom)\"/>" as Markup })
      \(lines.enumerated().map { draw($1, index: $0, x, y) })
      \(highlighted(x, y))
      </svg>
      \(lines.count > 1 ? legend : "")
      </figure>
      """
  }

  /// For those who don't see it.
  private var description: String {
    let ends = lines.compactMap { line -> String? in
      let points = line.points.filter(\.y.isFinite)
      guard let first = points.first, let last = points.last else { return nil }
      return "\(line.name): from \(significant(first.y)) at \(significant(first.x)) to \(significant(last.y)) at "
        + significant(last.x)
    }
    return "\(vertical) over \(horizontal). " + FirstFew.counted(ends, most: 12)
  }

  private func place(_ value: Double, _ x: ChartAxis) -> Double {
    Self.left + x.part(value) * (Self.width - Self.left - Self.right)
  }

  private func level(_ value: Double, _ y: ChartAxis) -> Double {
    let part = min(max(y.part(value), -0.02), 1.02)
    return Self.height - Self.bottom - part * (Self.height - Self.top - Self.bottom)
  }

  private func axes(_ x: ChartAxis, _ y: ChartAxis) -> Markup {
    let base = Self.height - Self.bottom
    let levels = y.ticks.map { tick -> Markup in
      let level = level(tick, y)
      return """
        <path class="grid" d="M\(Self.left) \(level)H\(Self.width - Self.right)"/>\
        <text class="tick" x="\(Self.left - 7)" y="\(level + 4)" text-anchor="end">\(y.label(tick))</text>
        """
    }
    let places = x.ticks.map { tick -> Markup in
      let place = place(tick, x)
      return """
        <path class="grid" d="M\(place) \(base)v5"/>\
        <text class="tick" x="\(place)" y="\(base + 18)" text-anchor="middle">\(x.label(tick))</text>
        """
    }
    let middle = (base + Self.top) / 2
    return """
      \(levels)
      \(places)
      <text class="name" x="\((Self.left + Self.width - Self.right) / 2)" y="\(Self.height - 7)" text-anchor="middle">\
      \(horizontal)</text>
      <text class="name" transform="translate(13 \(middle)) rotate(-90)" text-anchor="middle">\(vertical)</text>
      """
  }

  private func draw(_ line: Line, index: Int, _ x: ChartAxis, _ y: ChartAxis) -> Markup {
    let points = PointThinning.thinned(line.points, most: 1200)
    var (path, isDown, dots): (String, Bool, [Markup]) = ("", false, [])
    // Of a single point there is no line.
    let drawsPoints = showsPoints && points.count <= 60 || points.count == 1
    for point in points {
      guard point.x.isFinite, point.y.isFinite else {
        isDown = false
        continue
      }
      let (px, py) = (place(point.x, x), level(point.y, y))
      path += "\(isDown ? "L" : "M")\(fixed(px, 1)) \(fixed(py, 1))"
      isDown = true
      if drawsPoints {
        dots.append("<circle cx=\"\(px)\" cy=\"\(py)\" r=\"2.6\"/>")
      }
    }
    let style = LineStyle(index)
    return """
      <g class="\(style.name)"><path class="line\(line.isStrong ? " strong" : "")" d="\(path)"\(style.dashes)/>\
      \(Markup(dots, separator: ""))</g>
      """
  }

  private func highlighted(_ x: ChartAxis, _ y: ChartAxis) -> Markup {
    guard let (point, name) = highlight else { return "" }
    let (px, py) = (place(point.x, x), level(point.y, y))
    // Beside the point, on the side that has room; below it where it stands high.
    let isRight = px > Self.width * 0.6
    return """
      <path class="resumed" d="M\(px) \(Self.top)V\(Self.height - Self.bottom)"/>
      <g class="c1"><circle cx="\(px)" cy="\(py)" r="4.5"/></g>
      <text class="tick" x="\(px + (isRight ? -9 : 9))" y="\(py < 40 ? py + 22 : py - 9)" text-anchor="\(isRight ? "end" : "start")">\
      \(name)</text>
      """
  }

  private var legend: Markup {
    let entries = lines.enumerated().map { index, line -> Markup in
      let style = LineStyle(index)
      return """
        <li><svg viewBox="0 0 26 10" aria-hidden="true"><path class="line \(style.name)\(line.isStrong ? " strong" : "")" \
        d="M1 5H25"\(style.dashes)/></svg>\(line.name)</li>
        """
    }
    return "<ul class=\"legend\">\n\(entries)\n</ul>"
  }
}

/// Which colour and which dashes a line has: after the colours, dashes tell lines apart.
struct LineStyle {
  let name: String
  let dashes: Markup

  init(_ index: Int) {
    name = "c\(index % PageStyle.colorCount)"
    let patterns: [Markup] = ["", " stroke-dasharray=\"7 4\"", " stroke-dasharray=\"2 4\""]
    dashes = patterns[index / PageStyle.colorCount % patterns.count]
  }
}

/// Fewer points that look the same.
package enum PointThinning {
  /// Of each of many stretches of equal length its least and its largest value, so that no peak is lost; all of them where
  /// they are few. Gaps are kept where a whole stretch is one.
  package static func thinned(_ points: [SIMD2<Double>], most: Int) -> [SIMD2<Double>] {
    guard points.count > most else { return points }
    let stretches = max(1, most / 2)
    return (0..<stretches).flatMap { index -> [SIMD2<Double>] in
      let stretch = points[points.count * index / stretches..<points.count * (index + 1) / stretches]
      let known = stretch.indices.filter { stretch[$0].y.isFinite }
      guard let least = known.min(by: { stretch[$0].y < stretch[$1].y }),
        let largest = known.max(by: { stretch[$0].y < stretch[$1].y })
      else { return Array(stretch.prefix(1)) }
      return Set([least, largest]).sorted().map { stretch[$0] }
    }
  }
}

/// Up to where an axis goes: to the largest value, unless that is a rare one far above the others, which would flatten the
/// rest of the chart.
package struct UpperEdge {
  package let value: Double

  package init(_ values: [Double]) {
    let sorted = values.sorted()
    let (largest, usual) = (sorted.last ?? 1, sorted.isEmpty ? 1 : sorted[(sorted.count - 1) * 97 / 100])
    value = sorted.count >= 50 && usual > 0 && largest > 4 * usual ? 1.5 * usual : largest
  }
}
