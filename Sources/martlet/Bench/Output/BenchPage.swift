/// A result as one page: no scripts, nothing from elsewhere.
enum BenchPage {
  static func html(_ result: BenchResult) -> String {
    let title = HTML.escaped("\(result.benchmark) · \(result.target.url)")
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title)</title>
      <style>
      \(style)
      </style>
      </head>
      <body>
      <header>
      <p class="program">martlet bench \(HTML.escaped(result.benchmark))</p>
      <h1>\(HTML.escaped(result.target.url))</h1>
      <p>\(HTML.escaped(settings(result)))</p>
      </header>
      \(tiles(result))
      \(warnings(result))
      <section class="plots">
      \(BenchPlots.all(result).map(\.html).joined())</section>
      \(table(result))
      <footer>Martlet \(HTML.escaped(Version.number)). Times are measured by the generator, on the same machine or across
      the network that lies between.</footer>
      </body>
      </html>

      """
  }

  private static func settings(_ result: BenchResult) -> String {
    var parts = ["\(Figure.count(Double(result.connections))) connections"]
    if result.sendsMessages { parts.append("\(Figure.count(Double(result.target.size))) B a message") }
    if let rate = result.target.rate {
      parts.append("\(Figure.short(rate)) messages/s asked for")
    } else if result.sendsMessages {
      parts.append("\(result.target.depth) in flight")
    }
    parts.append("\(Figure.fixed(result.seconds, 1)) s")
    if result.target.warmupSeconds > 0 {
      parts.append("after \(result.target.warmupSeconds) s of warming up")
    }
    return parts.joined(separator: " · ")
  }

  /// The figures that one looks for first.
  private static func tiles(_ result: BenchResult) -> String {
    var tiles: [(value: String, name: String)] = []
    if let counted = result.counted { tiles.append((Figure.count(counted.perSecond), "\(counted.name)/s")) }
    if let latency = result.latency ?? result.connect, latency.times.count > 0 {
      let what = result.latency == nil ? "to connect, " : ""
      tiles.append((Figure.time(Double(latency.times.percentile(0.5))), what + "median"))
      tiles.append((Figure.time(Double(latency.times.percentile(0.99))), what + "p99"))
    }
    if let server = result.server {
      if let counted = result.counted, counted.count > 0 {
        let each = Figure.time(server.usage.cpu / Double(counted.count))
        tiles.append((each, "server CPU a \(counted.unit)"))
      }
      if let bytes = server.bytesPerConnection {
        tiles.append((Figure.count(bytes) + " B", "server memory a connection"))
      }
    }
    tiles.append((Figure.count(Double(result.errors.count)), "errors"))
    let items = tiles.map { "<li><b>\(HTML.escaped($0.value))</b><span>\(HTML.escaped($0.name))</span></li>" }
    return "<ul class=\"tiles\">\n\(items.joined(separator: "\n"))\n</ul>"
  }

  private static func warnings(_ result: BenchResult) -> String {
    let lines = result.errors.kinds.map { "\($0.count) × \($0.text)" } + result.notes
    guard !lines.isEmpty else { return "" }
    return "<ul class=\"warnings\">\(lines.map { "<li>\(HTML.escaped($0))</li>" }.joined())</ul>"
  }

  private static func table(_ result: BenchResult) -> String {
    let rows: [(String, TimeSummary?)] = [
      (result.benchmark == "echo" ? "Response" : "Delivery", result.latency),
      ("Last delivery", result.lastDelivery), ("Connect", result.connect), ("Close", result.close),
    ]
    let body = rows.compactMap { name, summary -> String? in
      guard let summary, summary.times.count > 0 else { return nil }
      let cells = [summary.mean] + summary.percentiles.map(\.nanoseconds)
      return "<tr><th scope=\"row\">\(name)</th>\(cells.map { "<td>\(Figure.time($0))</td>" }.joined())</tr>"
    }
    guard !body.isEmpty else { return "" }
    return """
      <div class="table"><table>
      <thead><tr><th></th><th>mean</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th></tr></thead>
      <tbody>\(body.joined(separator: "\n"))</tbody>
      </table></div>
      """
  }

  private static let style = """
    :root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1b2430; --quiet: #5b6675;
      --line: #dde2e8; --c1: #1769c4; --c2: #c2410c; --warn: #fdf0e6; }
    @media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #1b212a; --text: #e6eaf0; --quiet: #9aa6b5;
      --line: #323b47; --c1: #62a8f5; --c2: #f59354; --warn: #3a2616; } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; padding: 24px 16px 40px; max-width: 1000px; background: var(--page); color: var(--text);
      font: 16px/1.5 system-ui, sans-serif; }
    h1 { margin: 0; font-size: 1.4rem; overflow-wrap: anywhere; }
    h2 { margin: 0 0 8px; font-size: 1rem; }
    header p { margin: 4px 0; color: var(--quiet); }
    .program { font-family: ui-monospace, monospace; font-size: .9rem; }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 20px 0;
      padding: 0; list-style: none; }
    .tiles li, figure, .table { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
    .tiles li { padding: 12px 14px; }
    .tiles b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
    .tiles span, figcaption, footer { color: var(--quiet); font-size: .85rem; }
    .warnings { padding: 12px 16px 12px 32px; background: var(--warn); border-radius: 10px; }
    .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 16px; }
    figure { margin: 0; padding: 16px; min-width: 0; }
    svg { display: block; width: 100%; height: auto; }
    svg text { fill: var(--quiet); font-size: 12px; font-family: system-ui, sans-serif; }
    svg .label { fill: var(--text); }
    .grid, .axis, .mark { stroke: var(--line); fill: none; }
    .axis { stroke: var(--quiet); }
    .mark { stroke: var(--quiet); stroke-dasharray: 2 3; }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
    .line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); }
    .line.dashed { stroke-dasharray: 6 4; }
    .bars.c1 { fill: var(--c1); }
    .legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 8px 0 0; font-size: .85rem; }
    .swatch { display: inline-block; width: 18px; margin-right: 6px; vertical-align: middle; border-top: 3px solid; }
    .swatch.c1 { color: var(--c1); } .swatch.c2 { color: var(--c2); } .swatch.dashed { border-top-style: dashed; }
    figcaption { margin-top: 8px; }
    .table { margin: 16px 0; overflow-x: auto; }
    table { width: 100%; border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
    th, td { padding: 8px 12px; text-align: right; white-space: nowrap; }
    th:first-child { text-align: left; }
    tbody tr { border-top: 1px solid var(--line); }
    """
}
