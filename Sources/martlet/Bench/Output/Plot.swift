/// A plot as SVG, drawn by the page's style sheet: light and dark, without scripts.
struct Plot {
  struct Series {
    enum Shape {
      case line
      /// From one point on until the next.
      case steps
      /// A bar from each point's x to the next one's.
      case bars
    }

    /// Empty: not in the legend.
    var name: String
    var shape: Shape
    /// 1, 2, ...: the colour.
    var colour: Int
    var isDashed = false
    var points: [(x: Double, y: Double)]
  }

  private static let width = 420.0
  private static let height = 270.0
  private static let left = 52.0
  private static let right = 24.0
  private static let top = 10.0
  private static let bottom = 42.0

  var title: String
  var caption: String
  var x: PlotAxis
  var y: PlotAxis
  var series: [Series]
  /// Upright lines: percentiles.
  var marks: [(x: Double, label: String)] = []

  /// `<figure>` with heading, drawing, legend and caption.
  var html: String {
    let legend = series.filter { !$0.name.isEmpty }.map {
      "<span><i class=\"swatch c\($0.colour)\($0.isDashed ? " dashed" : "")\"></i>\(HTML.escaped($0.name))</span>"
    }
    return """
      <figure>
      <h2>\(HTML.escaped(title))</h2>
      \(svg)
      \(legend.count > 1 ? "<p class=\"legend\">\(legend.joined())</p>" : "")
      <figcaption>\(HTML.escaped(caption))</figcaption>
      </figure>

      """
  }

  private var svg: String {
    let (width, height) = (Figure.fixed(Self.width, 0), Figure.fixed(Self.height, 0))
    var parts = [
      "<svg viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(HTML.escaped(title))\">"
    ]
    parts += grid
    parts += series.map { draw($0) }
    parts += marks.enumerated().map { draw($0.offset, $0.element) }
    parts.append("</svg>")
    return parts.joined(separator: "\n")
  }

  private var grid: [String] {
    let (bottom, right) = (Self.height - Self.bottom, Self.width - Self.right)
    var parts: [String] = []
    for tick in y.ticks {
      let at = vertical(tick.value)
      parts.append(line(Self.left, at, right, at, "grid"))
      parts.append(text(Self.left - 6, at + 4, tick.label, "end"))
    }
    for tick in x.ticks {
      let at = horizontal(tick.value)
      parts.append(line(at, bottom, at, bottom + 4, "axis"))
      parts.append(text(at, bottom + 17, tick.label, "middle"))
    }
    parts.append(line(Self.left, bottom, right, bottom, "axis"))
    parts.append(text((Self.left + right) / 2, Self.height - 6, x.title, "middle", "title"))
    return parts
  }

  private func draw(_ series: Series) -> String {
    let points = series.points
    guard let first = points.first else { return "" }
    var path = "M\(place(first.x, first.y))"
    switch series.shape {
    case .line:
      for point in points.dropFirst() { path += "L\(place(point.x, point.y))" }
    case .steps:
      for (last, point) in zip(points, points.dropFirst()) {
        path += "L\(place(point.x, last.y))L\(place(point.x, point.y))"
      }
    case .bars:
      path = ""
      for (bar, next) in zip(points, points.dropFirst()) where bar.y > 0 {
        let floor = y.range.lowerBound
        path +=
          "M\(place(bar.x, floor))L\(place(bar.x, bar.y))L\(place(next.x, bar.y))L\(place(next.x, floor))Z"
      }
    }
    let kind = series.shape == .bars ? "bars" : "line"
    return "<path class=\"\(kind) c\(series.colour)\(series.isDashed ? " dashed" : "")\" d=\"\(path)\"/>"
  }

  private func draw(_ index: Int, _ mark: (x: Double, label: String)) -> String {
    let at = horizontal(mark.x)
    let isLate = at > Self.width * 0.75
    // Labels of neighbours stand in rows of their own.
    return line(at, Self.top, at, Self.height - Self.bottom, "mark")
      + text(
        at + (isLate ? -4 : 4), Self.top + 10 + Double(index % 4) * 13, mark.label, isLate ? "end" : "start",
        "label")
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ name: String) -> String {
    "<path class=\"\(name)\" d=\"M\(Self.pair(x1, y1))L\(Self.pair(x2, y2))\"/>"
  }

  private func text(_ x: Double, _ y: Double, _ text: String, _ anchor: String, _ name: String = "tick")
    -> String
  {
    "<text class=\"\(name)\" x=\"\(Figure.fixed(x, 1))\" y=\"\(Figure.fixed(y, 1))\" text-anchor=\"\(anchor)\">"
      + "\(HTML.escaped(text))</text>"
  }

  private func horizontal(_ value: Double) -> Double {
    Self.left + x.place(value) * (Self.width - Self.left - Self.right)
  }

  private func vertical(_ value: Double) -> Double {
    Self.height - Self.bottom - y.place(value) * (Self.height - Self.top - Self.bottom)
  }

  private func place(_ x: Double, _ y: Double) -> String { Self.pair(horizontal(x), vertical(y)) }

  private static func pair(_ x: Double, _ y: Double) -> String {
    "\(Figure.fixed(x, 1)) \(Figure.fixed(y, 1))"
  }
}

/// Text for HTML.
enum HTML {
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
