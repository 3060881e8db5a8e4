import Testing

@testable import martlet

@Suite("Line editor") struct LineEditorTests {
  private func editor(_ text: String = "", cursor: Int? = nil, history: [String] = []) -> LineEditor {
    var editor = LineEditor(history: LineHistory(history))
    if !text.isEmpty { _ = editor.handle(.text(text)) }
    if let cursor { for _ in cursor..<text.count { _ = editor.handle(.left) } }
    return editor
  }

  @Test("Typing, moving, removing") func editing() {
    var it = editor("hello", cursor: 2)
    #expect(it.handle(.text("XY")) == nil && it.text == "heXYllo" && it.cursor == 4)
    #expect(it.handle(.backspace) == nil && it.text == "heXllo" && it.cursor == 3)
    #expect(it.handle(.delete) == nil && it.text == "heXlo" && it.cursor == 3)
    #expect(it.handle(.home) == nil && it.cursor == 0)
    #expect(it.handle(.left) == .bell && it.handle(.backspace) == .bell)
    #expect(it.handle(.end) == nil && it.cursor == 5)
    #expect(it.handle(.right) == .bell && it.handle(.delete) == .bell)
    #expect(it.handle(.tab) == nil && it.text == "heXlo\t")
  }

  @Test("A character is what a person sees as one") func characters() {
    var it = editor("👩‍👩‍👧é🇩🇪")
    #expect(it.cursor == 3)
    _ = it.handle(.backspace)
    #expect(it.text == "👩‍👩‍👧é")
    _ = it.handle(.text("e"))
    _ = it.handle(.text("\u{301}"))
    #expect(it.cursor == 3 && it.text == "👩‍👩‍👧ée\u{301}")
    _ = it.handle(.backspace)
    #expect(it.text == "👩‍👩‍👧é")
  }

  @Test("Words") func words() {
    var it = editor("one  two three")
    _ = it.handle(.wordLeft)
    #expect(it.cursor == 9)
    _ = it.handle(.wordLeft)
    _ = it.handle(.killWord)
    #expect(it.text == "two three" && it.cursor == 0)
    _ = it.handle(.wordRight)
    #expect(it.cursor == 3)
    _ = it.handle(.killNextWord)
    #expect(it.text == "two")
  }

  @Test("What is killed comes back") func killing() {
    var it = editor("one two", cursor: 4)
    _ = it.handle(.killToEnd)
    #expect(it.text == "one ")
    _ = it.handle(.yank)
    #expect(it.text == "one two")
    _ = it.handle(.left)
    _ = it.handle(.killToStart)
    #expect(it.text == "o" && it.cursor == 0)
    _ = it.handle(.killToStart)
    _ = it.handle(.yank)
    #expect(it.text == "one two" && it.cursor == 6)
    var empty = editor()
    #expect(empty.handle(.yank) == .bell)
  }

  @Test("Entering a line") func submitting() {
    var it = editor("hi")
    #expect(it.handle(.enter) == .submit("hi", isKept: true) && it.text.isEmpty && it.cursor == 0)
    _ = it.handle(.text("hi"))
    #expect(it.handle(.enter) == .submit("hi", isKept: false))
    #expect(it.handle(.enter) == .submit("", isKept: false))
    _ = it.handle(.text(" secret"))
    #expect(it.handle(.enter) == .submit(" secret", isKept: false))
    #expect(it.history.lines == ["hi"])
  }

  @Test("History") func history() {
    var it = editor("draft", history: ["one", "two"])
    #expect(it.handle(.down) == .bell)
    _ = it.handle(.up)
    #expect(it.text == "two" && it.cursor == 3)
    _ = it.handle(.up)
    #expect(it.text == "one" && it.handle(.up) == .bell && it.text == "one")
    _ = it.handle(.down)
    _ = it.handle(.down)
    #expect(it.text == "draft" && it.handle(.down) == .bell)
    _ = it.handle(.up)
    _ = it.handle(.text("!"))
    #expect(it.handle(.enter) == .submit("two!", isKept: true))
    #expect(it.history.lines == ["one", "two", "two!"])
    _ = it.handle(.up)
    #expect(it.text == "two!")
    var empty = editor()
    #expect(empty.handle(.up) == .bell)
  }

  @Test("History keeps a thousand lines") func manyLines() {
    var history = LineHistory((0..<1_500).map(String.init))
    #expect(history.lines.count == 1_000 && history.lines.first == "500")
    #expect(history.add("new") && history.lines.count == 1_000 && history.lines.first == "501")
  }

  @Test("Leaving and giving up") func leaving() {
    var it = editor("text", cursor: 2)
    #expect(it.handle(.endOfInput) == nil && it.text == "tet")
    #expect(it.handle(.interrupt) == nil && it.text.isEmpty)
    #expect(it.handle(.interrupt) == .quit && it.handle(.endOfInput) == .quit)
    #expect(it.handle(.clearScreen) == .clearScreen)
  }

  @Test("A line is bounded") func bounded() {
    var it = editor(String(repeating: "a", count: LineEditor.maximumCharacters - 1))
    #expect(it.handle(.text("b")) == nil && it.handle(.text("b")) == .bell)
    #expect(it.characters.count == LineEditor.maximumCharacters)
  }
}
