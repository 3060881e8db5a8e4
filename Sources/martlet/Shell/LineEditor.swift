/// The line that is being typed: a state machine of keys, without a terminal.
struct LineEditor {
  /// What a key leads to, beyond a changed line.
  enum Action: Equatable {
    /// A line was entered; whether it went into the history.
    case submit(String, isKept: Bool)
    case clearScreen
    /// Ctrl-C on an empty line, or Ctrl-D on one.
    case quit
    /// The key does nothing here.
    case bell
  }

  /// A line has no more characters; longer messages come from files.
  static let maximumCharacters = 65_536

  /// The characters as a person sees them.
  private(set) var characters: [Character] = []
  /// Where the next character goes: 0 to `characters.count`.
  private(set) var cursor = 0
  private(set) var history: LineHistory
  /// What was killed last, for Ctrl-Y.
  private var killed: [Character] = []

  init(history: LineHistory = LineHistory()) { self.history = history }

  var text: String { String(characters) }

  /// Handles a key; nil where the line has changed or the cursor has moved.
  mutating func handle(_ key: Key) -> Action? {
    switch key {
    case .text(let text): return insert(text)
    case .tab: return insert("\t")
    case .enter: return submit()
    case .backspace: return remove(max(0, cursor - 1)..<cursor)
    case .delete: return remove(cursor..<min(characters.count, cursor + 1))
    case .left: return move(to: cursor - 1)
    case .right: return move(to: cursor + 1)
    case .home: cursor = 0
    case .end: cursor = characters.count
    case .wordLeft: cursor = wordStart
    case .wordRight: cursor = wordEnd
    case .killToEnd: kill(cursor..<characters.count)
    case .killToStart: kill(0..<cursor)
    case .killWord: kill(wordStart..<cursor)
    case .killNextWord: kill(cursor..<wordEnd)
    case .yank: return insert(String(killed))
    case .up: return recall(history.earlier(than: text))
    case .down: return recall(history.later())
    case .clearScreen: return .clearScreen
    case .interrupt: return interrupt()
    case .endOfInput: return characters.isEmpty ? .quit : handle(.delete)
    }
    return nil
  }

  private mutating func insert(_ text: String) -> Action? {
    guard !text.isEmpty, characters.count + text.count <= Self.maximumCharacters else { return .bell }
    // A combining mark joins the character before it.
    let before = Array(String(characters[..<cursor]) + text)
    characters = before + characters[cursor...]
    cursor = before.count
    return nil
  }

  private mutating func submit() -> Action {
    let line = text
    characters = []
    cursor = 0
    return .submit(line, isKept: history.add(line))
  }

  private mutating func remove(_ range: Range<Int>) -> Action? {
    guard !range.isEmpty else { return .bell }
    characters.removeSubrange(range)
    cursor = range.lowerBound
    return nil
  }

  private mutating func move(to place: Int) -> Action? {
    guard (0...characters.count).contains(place) else { return .bell }
    cursor = place
    return nil
  }

  private mutating func kill(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    killed = Array(characters[range])
    _ = remove(range)
  }

  private mutating func recall(_ line: String?) -> Action? {
    guard let line else { return .bell }
    characters = Array(line)
    cursor = characters.count
    return nil
  }

  private mutating func interrupt() -> Action? {
    guard !characters.isEmpty else { return .quit }
    characters = []
    cursor = 0
    history.leave()
    return nil
  }

  private var wordStart: Int {
    var place = cursor
    while place > 0, characters[place - 1].isWhitespace { place -= 1 }
    while place > 0, !characters[place - 1].isWhitespace { place -= 1 }
    return place
  }

  private var wordEnd: Int {
    var place = cursor
    while place < characters.count, characters[place].isWhitespace { place += 1 }
    while place < characters.count, !characters[place].isWhitespace { place += 1 }
    return place
  }
}
