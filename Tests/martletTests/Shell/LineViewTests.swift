import Testing

@testable import martlet

@Suite("Line view") struct LineViewTests {
  /// The row that a terminal shows, and the column of its cursor.
  private func screen(_ output: String) -> (row: String, column: Int) {
    var row: [Character] = []
    var column = 0
    var rest = Array(output)[...]
    while let character = rest.popFirst() {
      switch character {
      case "\r": column = 0
      case "\u{1B}":
        _ = rest.popFirst()
        let number = Int(String(rest.prefix { $0.isNumber })) ?? 0
        rest = rest.drop { $0.isNumber }
        if rest.popFirst() == "K" { row = Array(row.prefix(column)) } else { column += number }
      default:
        row = Array(row.prefix(column)) + [character] + row.dropFirst(column + 1)
        column += 1
      }
    }
    return (String(row), column)
  }

  private func render(_ text: String, cursor: Int, columns: Int) -> (row: String, column: Int) {
    var view = LineView(prompt: "> ")
    return screen(view.render(Array(text), cursor: cursor, columns: columns))
  }

  @Test("What fits is shown whole") func fits() {
    #expect(render("", cursor: 0, columns: 10) == ("> ", 2))
    #expect(render("hello", cursor: 5, columns: 10) == ("> hello", 7))
    #expect(render("hello", cursor: 1, columns: 10) == ("> hello", 3))
  }

  @Test("What does not fit scrolls under the cursor") func scrolls() {
    var view = LineView(prompt: "> ")
    let text = Array("abcdefghijklmnopqrstuvwxyz")
    for cursor in Array(0...26) + Array(0...26).reversed() {
      let (row, column) = screen(view.render(text, cursor: cursor, columns: 20))
      #expect(row.count <= 19 && column < 20)
      // The character under the cursor is the one at its place.
      if cursor < 26, column < row.count { #expect(Array(row)[column] == text[cursor]) }
      if cursor > 0, column > 2 { #expect(Array(row)[column - 1] == text[cursor - 1]) }
    }
    let (row, _) = screen(view.render(Array("short"), cursor: 5, columns: 20))
    #expect(row == "> short")
  }

  @Test("Wide and invisible characters") func widths() {
    #expect(DisplayWidth.of(Array("aé漢字🐦")) == 8 && DisplayWidth.of("\u{301}") == 0)
    var view = LineView(prompt: "> ")
    #expect(view.render(Array("漢字"), cursor: 2, columns: 80).hasSuffix("\r\u{1B}[6C"))
    #expect(render("a\nb\tc\u{1B}", cursor: 0, columns: 20).row == "> a↵b⇥c?")
  }

  @Test("A terminal of any size", arguments: [0, 1, 2, 3, 4, 5]) func tiny(_ columns: Int) {
    for cursor in 0...5 { _ = render("hello", cursor: cursor, columns: columns) }
  }
}
