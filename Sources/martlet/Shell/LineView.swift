/// Shows the line being typed on the terminal's last row: what does not fit scrolls sideways under the cursor.
struct LineView {
  /// Columns that stay visible before the cursor when the line scrolls.
  private static let margin = 8

  let prompt: String
  /// The prompt as it is printed, with colours.
  let colouredPrompt: String
  /// The first character that is visible.
  private var first = 0

  init(prompt: String, colouredPrompt: String? = nil) {
    self.prompt = prompt
    self.colouredPrompt = colouredPrompt ?? prompt
  }

  /// What to write to show the line in a terminal that is so many columns wide, the cursor in its place.
  mutating func render(_ characters: [Character], cursor: Int, columns: Int) -> String {
    // The last column stays free: a cursor behind it would begin a new row.
    let room = max(2, columns - DisplayWidth.of(prompt) - 1)
    scroll(characters, cursor, room)
    var visible = ""
    var used = 0
    var place = first
    while place < characters.count {
      let shown = Self.shown(characters[place])
      let width = DisplayWidth.of(shown)
      guard used + width <= room else { break }
      visible.append(shown)
      used += width
      place += 1
    }
    let column = DisplayWidth.of(prompt) + width(characters, first..<cursor)
    return "\r\(colouredPrompt)\(visible)\u{1B}[K\r" + (column > 0 ? "\u{1B}[\(column)C" : "")
  }

  private mutating func scroll(_ characters: [Character], _ cursor: Int, _ room: Int) {
    if Self.firstPlace(in: characters, before: characters.count, room) == 0 { first = 0 }
    first = min(first, characters.count)
    if cursor < first { first = cursor }
    let least = Self.firstPlace(in: characters, before: cursor, room)
    if first < least {
      let steps = (least - first + Self.margin - 1) / Self.margin
      first = min(first + steps * Self.margin, cursor)
    }
  }

  /// The first place from which everything up to `end` has room. It looks at no more than that: lines may be very long.
  private static func firstPlace(in characters: [Character], before end: Int, _ room: Int) -> Int {
    var place = end
    var used = 0
    while place > 0 {
      used += DisplayWidth.of(shown(characters[place - 1]))
      if used > room { break }
      place -= 1
    }
    return place
  }

  private func width(_ characters: [Character], _ range: Range<Int>) -> Int {
    characters[range].reduce(0) { $0 + DisplayWidth.of(Self.shown($1)) }
  }

  /// Newlines and tabs of a paste take one column; what would move the cursor is not shown as it is.
  private static func shown(_ character: Character) -> Character {
    switch character {
    case "\n", "\r", "\r\n": return "↵"
    case "\t": return "⇥"
    default:
      guard let scalar = character.unicodeScalars.first else { return "?" }
      return scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "?" : character
    }
  }
}
