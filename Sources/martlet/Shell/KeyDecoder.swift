/// What was typed, as the line editor understands it.
enum Key: Equatable {
  /// Printable characters, typed or pasted; a pasted text may have newlines and tabs.
  case text(String)
  case enter, tab
  case backspace, delete
  case left, right, home, end, wordLeft, wordRight
  case up, down
  /// Ctrl-W and its like: the words are those of the keys' names in other shells.
  case killToEnd, killToStart, killWord, killNextWord, yank
  case clearScreen, interrupt, endOfInput
}

/// Turns the bytes of a terminal into keys: UTF-8, control characters, the escape sequences of arrows and their like,
/// and bracketed pastes. Bytes may come in any pieces; what is not understood is passed over.
struct KeyDecoder {
  private enum State {
    case plain
    /// Behind ESC.
    case escape
    /// Behind ESC [ or ESC O, with the parameters so far.
    case sequence([UInt8])
    /// In a paste: the bytes of its end mark that have been seen.
    case paste(Int)
  }

  /// Longer sequences are none of a keyboard.
  private static let maximumParameterBytes = 16
  private static let pasteEnd = Array("\u{1B}[201~".utf8)

  private var state = State.plain
  private var keys: [Key] = []
  /// Bytes of text that have not become a key.
  private var text: [UInt8] = []

  /// The keys that the bytes complete.
  mutating func decode(_ bytes: some Sequence<UInt8>) -> [Key] {
    for byte in bytes { take(byte) }
    flushText()
    defer { keys = [] }
    return keys
  }

  private mutating func take(_ byte: UInt8) {
    switch state {
    case .plain: takePlain(byte)
    case .escape: takeEscape(byte)
    case .sequence(let parameters): takeSequence(byte, parameters)
    case .paste(let matched): takePaste(byte, matched)
    }
  }

  private mutating func takePlain(_ byte: UInt8) {
    if byte >= 0x20, byte != 0x7F { return text.append(byte) }
    flushText()
    // What was left of a character is not completed by a control character.
    text = []
    switch byte {
    case 0x1B: state = .escape
    case 0x0D, 0x0A: keys.append(.enter)
    case 0x09: keys.append(.tab)
    case 0x7F, 0x08: keys.append(.backspace)
    default: if let key = Self.controlKeys[byte] { keys.append(key) }
    }
  }

  private static let controlKeys: [UInt8: Key] = [
    0x01: .home, 0x02: .left, 0x03: .interrupt, 0x04: .endOfInput, 0x05: .end, 0x06: .right, 0x0B: .killToEnd,
    0x0C: .clearScreen, 0x0E: .down, 0x10: .up, 0x15: .killToStart, 0x17: .killWord, 0x19: .yank,
  ]

  /// ESC and a character is Alt with it.
  private mutating func takeEscape(_ byte: UInt8) {
    state = .plain
    switch byte {
    case UInt8(ascii: "["), UInt8(ascii: "O"): state = .sequence([])
    case 0x1B: state = .escape
    case UInt8(ascii: "b"): keys.append(.wordLeft)
    case UInt8(ascii: "f"): keys.append(.wordRight)
    case UInt8(ascii: "d"): keys.append(.killNextWord)
    case 0x7F, 0x08: keys.append(.killWord)
    default: break
    }
  }

  /// ECMA-48 §5.4: parameters from 0x20 to 0x3F, then a final byte.
  private mutating func takeSequence(_ byte: UInt8, _ parameters: [UInt8]) {
    if (0x20...0x3F).contains(byte), parameters.count < Self.maximumParameterBytes {
      state = .sequence(parameters + [byte])
      return
    }
    state = byte == 0x1B ? .escape : .plain
    let text = String(decoding: parameters, as: UTF8.self)
    if byte == UInt8(ascii: "~"), text == "200" {
      state = .paste(0)
    } else if let key = Self.key(byte, text) {
      keys.append(key)
    }
  }

  private static func key(_ final: UInt8, _ parameters: String) -> Key? {
    // `1;5` before the final byte: with Ctrl; `1;3`: with Alt.
    let isByWord = parameters.hasSuffix(";5") || parameters.hasSuffix(";3")
    switch final {
    case UInt8(ascii: "A"): return .up
    case UInt8(ascii: "B"): return .down
    case UInt8(ascii: "C"): return isByWord ? .wordRight : .right
    case UInt8(ascii: "D"): return isByWord ? .wordLeft : .left
    case UInt8(ascii: "H"): return .home
    case UInt8(ascii: "F"): return .end
    case UInt8(ascii: "~"):
      switch parameters.prefix(while: { $0 != ";" }) {
      case "1", "7": return .home
      case "4", "8": return .end
      case "3": return isByWord ? .killNextWord : .delete
      default: return nil
      }
    default: return nil
    }
  }

  /// In a paste a newline is text: pasting several lines sends nothing by itself.
  private mutating func takePaste(_ byte: UInt8, _ matched: Int) {
    if byte == Self.pasteEnd[matched] {
      guard matched + 1 == Self.pasteEnd.count else { return state = .paste(matched + 1) }
      state = .plain
      flushText()
      text = []
      return
    }
    state = .paste(byte == 0x1B ? 1 : 0)
    // What looked like the end mark was text, but for its ESC.
    if matched > 0 { text.append(contentsOf: Self.pasteEnd[1..<matched]) }
    switch byte {
    case 0x0D: text.append(0x0A)
    case 0x09, 0x0A, 0x20...0x7E, 0x80...: text.append(byte)
    default: break
    }
  }

  /// Makes a key of all whole characters; the beginning of one stays for the bytes to come.
  private mutating func flushText() {
    guard !text.isEmpty else { return }
    let whole = text.count - Self.partialCharacterCount(text)
    // Bytes that are no UTF-8 are passed over.
    let valid = String(decoding: text[..<whole], as: UTF8.self).filter { $0 != "\u{FFFD}" }
    text.removeSubrange(..<whole)
    if !valid.isEmpty { keys.append(.text(valid)) }
  }

  /// How many bytes at the end begin a character that is not complete.
  private static func partialCharacterCount(_ bytes: [UInt8]) -> Int {
    for back in 1...3 where back <= bytes.count {
      let byte = bytes[bytes.count - back]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return length > back ? back : 0
    }
    return 0
  }
}
