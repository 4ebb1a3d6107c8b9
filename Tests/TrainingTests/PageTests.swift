import TestSupport
import Testing
import Training

/// Pages are well-formed, hold nothing from elsewhere, and show foreign text as it is.
@Suite struct PageTests {
  private static let hostile = [
    "</title><script>alert(1)</script>", "\" onmouseover=\"alert(1)", "a & b &amp; c", "<img src='http://x/y'>",
    "\u{0}\u{7}bell\u{1b}", "ünï😀", "]]>", String(repeating: "long", count: 60), "",
  ]

  private func page(_ body: [Markup], title: String = "A page") -> PageContent {
    PageContent(
      Page(title: title, summary: "<p>All.</p>", sections: [PageSection("all", "All", body)], producer: "a test").text)
  }

  @Test func foreignTextIsShownAndNothingElse() {
    for text in Self.hostile {
      let page = page(["<p title=\"\(text)\">\(text)</p>"], title: text)
      #expect(page.faults.isEmpty, "\(page.faults)")
      let shown = text.unicodeScalars.map { $0.value < 0x20 ? "\u{fffd}" : String(Character($0)) }.joined()
      #expect(page.all("p").contains { $0.attributes["title"] == shown }, "\(text)")
      #expect(page.all("script").isEmpty && page.all("img").isEmpty)
      if !text.isEmpty { #expect(page.lines.filter { $0 == shown }.count >= 2, "\(page.lines)") }
    }
  }

  @Test func chartsAreWellFormedWhateverTheirNames() {
    let curve = (0..<5000).map { SIMD2(Double($0), $0 == 40 ? .nan : Double($0 % 7)) }
    let lines = Self.hostile.map { LineChart.Line($0, curve) }
    let chart = LineChart(
      id: "lines", title: Self.hostile[0], horizontal: Self.hostile[1], vertical: Self.hostile[2], lines: lines)
    let names = Self.hostile + ["last"]
    let counts = names.indices.map { row in names.indices.map { ($0 * 7 + row * 3) % 5 } }
    let matrix = MatrixChart(
      id: "matrix", title: "A matrix", rowsTitle: Self.hostile[0], columnsTitle: Self.hostile[1], rows: names,
      columns: names, counts: counts)
    let bars = BarChart(
      id: "bars", title: "Bars", bars: names.map { .init(name: $0, value: Double($0.utf8.count), label: $0) })
    let page = page([chart.markup, matrix.markup, bars.markup])
    #expect(page.faults.isEmpty, "\(page.faults)")
    #expect(page.all("svg").count == 3 + Self.hostile.count)
    // A line each, and a sample of it in the legend.
    #expect(page.all("path").count { $0.attributes["class"] == "line" } == Self.hostile.count)
    let filled = counts.joined().count { $0 > 0 }
    #expect(page.all("rect").count { $0.attributes["class"] == "cell" } == filled)
  }

  @Test func aChartWithoutValuesSaysSo() {
    for points in [[], [SIMD2(1.0, .nan)]] {
      let chart = LineChart(
        id: "none", title: "Nothing", horizontal: "x", vertical: "y", lines: [LineChart.Line("a", points)])
      let page = page([chart.markup])
      #expect(page.faults.isEmpty && page.lines.contains("There are no values."), "\(page.faults)")
    }
  }

  @Test func theCheckOfPagesFindsWhatIsWrong() {
    let wrong = [
      "<p>", "<p></b></p>", "<p a=b></p>", "<p>&nbsp;</p>", "<img src=\"http://x/y\" alt=\"a\"/>", "<script></script>",
      "<p onclick=\"x\"></p>", "<a href=\"#nowhere\">x</a>", "<svg></svg>", "<p id=\"all\"></p>",
      "<img src=\"data:,\"/>",
      "<p class=\"a\" class=\"b\"></p>",
    ]
    for text in wrong { #expect(!page([Markup(stringLiteral: text)]).faults.isEmpty, "\(text)") }
  }
}

/// What charts make of numbers.
@Suite struct ChartNumberTests {
  @Test(arguments: [
    (0...1.0, false, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    (0...0.0247, false, ["0", "0.005", "0.010", "0.015", "0.020", "0.025"]),
    (0...7, true, ["0", "2", "4", "6"]),
    (0.37...0.53, false, ["0.35", "0.40", "0.45", "0.50", "0.55"]),
    (0...2.3e-5, false, ["0", "5e-6", "1e-5", "1.5e-5", "2e-5", "2.5e-5"]),
    (0...4_000_000, false, ["0", "1e6", "2e6", "3e6", "4e6"]),
  ])
  func ticksAreRound(values: ClosedRange<Double>, isExact: Bool, labels: [String]) {
    let axis = ChartAxis(covering: values, isExact: isExact)
    #expect(axis.ticks.map(axis.label) == labels)
    #expect(axis.range.lowerBound <= values.lowerBound && axis.range.upperBound >= values.upperBound)
  }

  @Test func anAxisOfOneValueHasAnExtent() {
    for value in [0.0, 1, -3, 1e-12, 5e9] {
      let axis = ChartAxis(covering: value...value)
      #expect(axis.range.lowerBound < axis.range.upperBound && axis.part(value).isFinite, "\(value): \(axis.range)")
      #expect((2...12).contains(axis.ticks.count), "\(value): \(axis.ticks)")
    }
  }

  @Test func thinnedLinesKeepTheirPeaks() {
    var points = (0..<10_000).map { SIMD2(Double($0), Double($0 % 3)) }
    (points[5003].y, points[777].y) = (100, -50)
    let thinned = PointThinning.thinned(points, most: 500)
    #expect(thinned.count <= 500 && thinned.count > 400)
    #expect(thinned.map(\.y).max() == 100 && thinned.map(\.y).min() == -50)
    #expect(zip(thinned, thinned.dropFirst()).allSatisfy { $0.x < $1.x })
    #expect(PointThinning.thinned(Array(points.prefix(500)), most: 500).count == 500)
  }

  @Test func onePeakDoesNotFlattenTheRest() {
    let usual = (0..<200).map { 1 + Double($0 % 10) / 10 }
    #expect(UpperEdge(usual).value == 1.9)
    #expect(UpperEdge(usual + [500]).value < 3)
    #expect(UpperEdge([1, 500]).value == 500)
  }
}
