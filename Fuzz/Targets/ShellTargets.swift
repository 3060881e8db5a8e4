import JSON

@testable import martlet

let shellTargets = [
  FuzzTarget("shell-keys") { try checkKeys(Pieces($0)) },
  FuzzTarget("shell-json", checkLayout),
]

/// Whatever is typed: the cursor stays in the line, and the line on its row.
private func checkKeys(_ input: Pieces) throws {
  var decoder = KeyDecoder()
  var editor = LineEditor(history: LineHistory(["one", "two 漢字"]))
  var view = LineView(prompt: "> ")
  for piece in input.cut {
    for key in decoder.decode(piece) {
      if case .text(let text) = key { try hold(!text.isEmpty, "a text is not empty") }
      _ = editor.handle(key)
      try hold((0...editor.characters.count).contains(editor.cursor), "the cursor is in the line")
      try hold(editor.history.lines.count <= LineHistory.maximumLines, "the history is bounded")
    }
    let shown = view.render(editor.characters, cursor: editor.cursor, columns: 20)
    try hold(!shown.contains("\n"), "the line is one row")
  }
}

/// JSON that is laid out is the same JSON.
private func checkLayout(_ input: UnsafeRawBufferPointer) throws {
  let text = String(decoding: input, as: UTF8.self)
  guard let layout = JSONLayout.of(text, style: Style(hasColours: false)) else { return }
  try hold(layout == layout.fitForTerminal, "the layout is fit for a terminal")
  // Numbers that are too large for a tree are laid out all the same.
  guard text == text.fitForTerminal, let value = try? JSONValue(parsing: Array(text.utf8)) else { return }
  try equal(try JSONValue(parsing: Array(layout.utf8)), value, "the value")
}
