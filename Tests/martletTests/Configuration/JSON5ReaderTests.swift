import Testing

@testable import martlet

@Suite("JSON5") struct JSON5ReaderTests {
  private func value(_ text: String) throws -> JSON5Value { try JSON5Reader.read(text).value }

  @Test(
    "Scalars",
    arguments: [
      ("null", .null), ("true", .bool(true)), (" false ", .bool(false)), ("12", .integer(12)),
      ("-3", .integer(-3)),
      ("+4", .integer(4)), ("0x1F", .integer(31)), ("-0x10", .integer(-16)), ("1.5", .number(1.5)),
      (".5", .number(0.5)), ("5.", .number(5)), ("1e3", .number(1_000)), ("1E-2", .number(0.01)),
      ("'it''s'", nil), ("'a\"b'", .string("a\"b")), ("\"a'b\"", .string("a'b")), ("\"\"", .string("")),
      ("\"\\u00e9\\x41\\n\\\n\"", .string("éA\n")), ("'\\uD83D\\uDE00'", .string("😀")), ("'ü'", .string("ü")),
      ("\u{FEFF}1", .integer(1)), ("// c\n1 /* d */", .integer(1)),
      ("", nil), ("hello", nil), ("'open", nil), ("'a\nb'", nil), ("'\\uD83D'", nil), ("'\\u12'", nil),
      ("NaN", nil),
      ("Infinity", nil), ("1 2", nil), ("/* open", nil), ("/ 1", nil), ("-", nil), ("0x", nil), ("01x", nil),
      ("1e999", nil),
    ] as [(String, JSON5Value?)])
  func scalars(text: String, expected: JSON5Value?) {
    #expect((try? value(text)) == expected)
  }

  @Test("Objects and lists, with trailing commas, comments and bare keys")
  func containers() throws {
    let document = try JSON5Reader.read("{\n  // first\n  port: 8000, 'a b': [1, 'x',],\n}")
    guard case .object(let members) = document.value else {
      Issue.record("not an object")
      return
    }
    #expect(members.map(\.key) == ["port", "a b"])
    #expect(members[0].keyPosition == TextPosition(line: 3, column: 3))
    #expect(members[0].node == JSON5Node(value: .integer(8_000), position: TextPosition(line: 3, column: 9)))
    guard case .list(let elements) = members[1].node.value else {
      Issue.record("not a list")
      return
    }
    #expect(elements.map(\.value) == [.integer(1), .string("x")])
  }

  @Test(
    "Mistakes are found where they are",
    arguments: [
      ("{a 1}", 1, 4, "a ':' is missing after \"a\""),
      ("{\n a: 1\n b: 2}", 3, 2, "a ',' or '}' is missing here"),
      ("{a:1,\n a:2}", 2, 2, "\"a\" is set twice (first in line 1)"),
      ("[1 2]", 1, 4, "a ',' or ']' is missing here"),
      ("{a:}", 1, 4, "\"}\" is not a value (a string needs quotes)"),
      ("{host: localhost}", 1, 8, "\"localhost\" is not a value (a string needs quotes)"),
      ("{,}", 1, 2, "a key is missing here"), ("{} x", 1, 4, "more text after the end of the value"),
      ("{a:", 1, 4, "the text ends where a value should be"),
      ("\n'x", 2, 1, "this string has no closing quote"), ("1 /*", 1, 3, "this comment has no end"),
    ])
  func mistakes(text: String, line: Int, column: Int, complaint: String) {
    #expect(throws: JSON5Error(complaint: complaint, position: TextPosition(line: line, column: column))) {
      try JSON5Reader.read(text)
    }
  }

  @Test("Depth is bounded")
  func depth() {
    #expect(throws: JSON5Error.self) { try JSON5Reader.read(String(repeating: "[", count: 100_000)) }
  }

  @Test("Every beginning of a document is refused and none traps")
  func beginnings() throws {
    let text = "{a: [1, -0x2, 'b\\u0041\\\n', null], /* c */ \"d\": {e: .5e-1}} "
    _ = try JSON5Reader.read(text)
    for count in 0..<(text.utf8.count - 1) {
      let part = String(decoding: Array(text.utf8).prefix(count), as: UTF8.self)
      #expect(throws: JSON5Error.self) { try JSON5Reader.read(part) }
    }
  }
}
