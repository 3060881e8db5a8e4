import Testing

@testable import martlet

@Suite("Keys") struct KeyDecoderTests {
  private func keys(_ bytes: [UInt8], pieces size: Int = .max) -> [Key] {
    var decoder = KeyDecoder()
    var keys: [Key] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      keys += decoder.decode(rest.prefix(size))
      rest = rest.dropFirst(size)
    }
    return keys
  }

  private func keys(_ text: String) -> [Key] { keys(Array(text.utf8)) }

  @Test("Text, also beyond ASCII") func text() {
    #expect(keys("héllo 🐦") == [.text("héllo 🐦")])
    #expect(keys("a\rb\n") == [.text("a"), .enter, .text("b"), .enter])
  }

  @Test("Control characters") func controls() {
    #expect(
      keys([1, 2, 3, 4, 5, 6, 8, 9, 0x7F, 11, 12, 14, 16, 21, 23, 25]) == [
        .home, .left, .interrupt, .endOfInput, .end, .right, .backspace, .tab, .backspace, .killToEnd,
        .clearScreen, .down, .up, .killToStart, .killWord, .yank,
      ])
    #expect(keys([0, 7, 0x13, 0x1A, 0x1C, 0x1F]).isEmpty)
  }

  @Test(
    "Escape sequences",
    arguments: [
      ("\u{1B}[A", .up), ("\u{1B}[B", .down), ("\u{1B}[C", .right), ("\u{1B}[D", .left), ("\u{1B}OH", .home),
      ("\u{1B}[H", .home), ("\u{1B}[F", .end), ("\u{1B}[1~", .home), ("\u{1B}[4~", .end),
      ("\u{1B}[7~", .home),
      ("\u{1B}[8~", .end), ("\u{1B}[3~", .delete), ("\u{1B}[1;5C", .wordRight), ("\u{1B}[1;3D", .wordLeft),
      ("\u{1B}[3;5~", .killNextWord), ("\u{1B}b", .wordLeft), ("\u{1B}f", .wordRight),
      ("\u{1B}d", .killNextWord),
      ("\u{1B}\u{7F}", .killWord), ("\u{1B}\u{1B}[A", .up),
    ] as [(String, Key)])
  func sequences(_ text: String, _ key: Key) {
    let bytes = Array(text.utf8)
    for size in 1...bytes.count { #expect(keys(bytes + [0x78], pieces: size) == [key, .text("x")]) }
  }

  @Test(
    "Other sequences are passed over",
    arguments: ["\u{1B}[Z", "\u{1B}[5~", "\u{1B}[?25h", "\u{1B}OP", "\u{1B}x"])
  func otherSequences(_ text: String) { #expect(keys(text + "y") == [.text("y")]) }

  @Test("Characters that come in pieces") func pieces() {
    for text in ["é", "€", "🐦", "aé€🐦z"] {
      let bytes = Array(text.utf8)
      for size in 1...bytes.count {
        let typed = keys(bytes, pieces: size).map { if case .text(let text) = $0 { text } else { "?" } }
        #expect(typed.joined() == text)
      }
    }
  }

  @Test("Bytes that are no UTF-8 are passed over") func garbage() {
    #expect(keys([0xFF, 0x61, 0xC3, 0x28, 0x80]) == [.text("a(")])
    #expect(keys([0xC3, 0x0D, 0x62]) == [.enter, .text("b")])
  }

  @Test("A paste is text, its newlines, too") func paste() {
    let bytes = Array("\u{1B}[200~a\rb\tc\u{3}\u{1B}[A\u{1B}[201~\r".utf8)
    for size in 1...bytes.count {
      var typed = ""
      var isEntered = false
      for key in keys(bytes, pieces: size) {
        if case .text(let text) = key { typed += text }
        isEntered = key == .enter
      }
      #expect(typed == "a\nb\tc[A" && isEntered)
    }
  }

  @Test("A sequence without end does not grow") func endless() {
    let bytes = Array("\u{1B}[".utf8) + Array(repeating: UInt8(ascii: "1"), count: 100)
    #expect(keys(bytes) == [.text(String(repeating: "1", count: 83))])
  }
}
