/// Lines that were typed before, and where in them the editor is.
struct LineHistory: Equatable {
  /// The oldest go beyond this many.
  static let maximumLines = 1_000

  /// The oldest first.
  private(set) var lines: [String]
  /// The line that is shown; nil for the one being typed.
  private var place: Int?
  /// The line that was being typed before the first step back.
  private var draft = ""

  init(_ lines: some Sequence<String> = []) { self.lines = Array(Array(lines).suffix(Self.maximumLines)) }

  /// Whether a line is kept: not an empty one, not one that begins with a blank (as for secrets), and not twice in a
  /// row.
  private func keeps(_ line: String) -> Bool {
    line.first.map { !$0.isWhitespace } == true && line != lines.last
  }

  /// Keeps a line; false if it is not one to keep.
  mutating func add(_ line: String) -> Bool {
    leave()
    guard keeps(line) else { return false }
    lines.append(line)
    if lines.count > Self.maximumLines { lines.removeFirst(lines.count - Self.maximumLines) }
    return true
  }

  /// The line before the one shown; nil at the oldest.
  mutating func earlier(than shown: String) -> String? {
    if place == nil { draft = shown }
    guard let next = place.map({ $0 - 1 }) ?? lines.indices.last, next >= 0 else { return nil }
    place = next
    return lines[next]
  }

  /// The line behind the one shown, at last the one that was being typed; nil behind that.
  mutating func later() -> String? {
    guard let shown = place else { return nil }
    guard shown + 1 < lines.count else {
      place = nil
      return draft
    }
    place = shown + 1
    return lines[shown + 1]
  }

  /// Forgets where the editor was.
  mutating func leave() {
    place = nil
    draft = ""
  }
}
