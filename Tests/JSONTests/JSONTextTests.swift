import JSON
import TestRandomness
import Testing

@Suite struct JSONTextTests {
  private func validate(_ text: [UInt8], depth: Int = 128) throws {
    try text.withUnsafeBytes { try JSONText.validate($0, maximumDepth: depth) }
  }

  @Test(arguments: [
    "0", "-0", "1.5e+10", "1E5", "0.1", "\"\"", "\"\\u0000\"", "\"\\ud83d\\ude00\"", "\"\\\\\\\"\\/\"",
    "\"😀\"",
    "[]", "[ ]", "{}", "{ }", "[[],{}]", "{\"a\":{\"a\":[]}}", " true ", "\n\t\r null", "{\"a\":1,\"a\":2}",
    "\"\u{7F}\"",
  ])
  func takesWhatTheRFCAllows(_ text: String) throws {
    try validate(Array(text.utf8))
  }

  @Test(arguments: [
    "", " ", "tru", "nul", "truex", "True", "01", "-", "-01", "1.", ".5", "1e", "1e+", "+1", "0x1", "NaN",
    "Infinity", "--1", "1 2", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{", "}", "{\"a\"",
    "{\"a\":",
    "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{1:2}", "{a:1}", "{'a':1}", "{\"a\" 1}", "{\"a\"::1}",
    "{\"a\":1]",
    "\"", "\"\\", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800x\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "\"\\udc00\\udc00\"", "\"\\udfff\\ud800\"", "\"\n\"",
    "\"\t\"", "\"\u{0}\"", "[1]x", "//", "[1]/**/",
    "\u{FEFF}1",
  ])
  func refusesWhatItDoesNot(_ text: String) {
    #expect(throws: JSONError.self) { try validate(Array(text.utf8)) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
      [0xF0, 0x9F, 0x98],
    ] as [[UInt8]])
  func refusesStringsThatAreNotUTF8(_ content: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    #expect(throws: JSONError.self) { try validate([quote] + content + [quote]) }
    #expect(throws: JSONError.self) { try validate(Array("{\"".utf8) + content + Array("\":1}".utf8)) }
  }

  @Test func theDepthIsLimited() throws {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let at = String(repeating: open, count: 128) + "1" + String(repeating: close, count: 128)
      try validate(Array(at.utf8))
      _ = try JSONValue(parsing: Array(at.utf8))
      let above = Array((open + at + close).utf8)
      #expect(throws: JSONError.self) { try validate(above) }
      #expect(throws: JSONError.self) { try JSONValue(parsing: above) }
      try validate(above, depth: 129)
    }
  }

  @Test(arguments: ["[", "{\"a\":", "[{\"a\":"])
  func aHundredThousandLevelsAreAnError(_ open: String) {
    let text = Array(String(repeating: open, count: 100_000).utf8)
    let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    #expect(error?.code == .tooDeep)
    #expect(throws: JSONError.self) { try validate(text) }
    // The skipping scanner does not use the stack, whatever depth it is allowed.
    #expect(throws: JSONError.self) { try validate(text, depth: 1_000_000) }
  }

  @Test func everyPrefixOfATextIsRefused() throws {
    let text = Array(#"{"a":[1.5e3,"x\u00e9\n",{"b":null}],"é":false}"#.utf8)
    try validate(text)
    for count in 0..<text.count {
      #expect(throws: JSONError.self, "\(count) bytes") { try validate(Array(text.prefix(count))) }
    }
  }

  @Test func randomChangesNeverTrap() {
    let text = Array(#"{"a":[1.5e3,"x\ud83d\ude00\n",{"b":null}],"é":[false,-0,true,{}]}"#.utf8)
    var generator = SeededRandom(seed: 11)
    for _ in 0..<20_000 {
      var changed = text
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        changed[Int.random(in: 0..<text.count, using: &generator)] = UInt8.random(
          in: 0...255, using: &generator)
      }
      let isValid = (try? validate(changed)) != nil
      #expect(((try? JSONValue(parsing: changed)) != nil) == isValid || hasHugeNumber(changed))
    }
  }

  /// A number that is spelled as it should be, but is too large for a Double, is valid text and yet no value.
  private func hasHugeNumber(_ text: [UInt8]) -> Bool {
    text.contains(UInt8(ascii: "e")) || text.contains(UInt8(ascii: "E"))
  }

  /// Pieces of JSON in random order, and random bytes: skipping and building a tree agree, and neither traps.
  @Test func randomBytesNeverTrap() {
    let words = [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "d83d", "\\ud83d\\ude00", "\"a\"", "\"a\":", "1", "-",
      "0",
      ".", "7", "true", "null", "fal", " ", "\n", "é", "\u{0}",
    ].map { Array($0.utf8) }
    var generator = SeededRandom(seed: 12)
    var valid = 0
    for round in 0..<50_000 {
      var text: [UInt8] = []
      for _ in 0..<Int.random(in: 0...12, using: &generator) {
        if Int.random(in: 0..<12, using: &generator) == 0 {
          text.append(.random(in: 0...255, using: &generator))
        } else {
          text += words.randomElement(using: &generator) ?? []
        }
      }
      let isValid = (try? validate(text)) != nil
      let value = try? JSONValue(parsing: text)
      if isValid { valid += 1 }
      if isValid != (value != nil) { Issue.record("round \(round): \(text)") }
      guard isValid else { continue }
      let compact = text.withUnsafeBytes { JSONText.compact($0) }
      if (try? JSONValue(parsing: compact)) != value { Issue.record("round \(round): \(text)") }
    }
    #expect(valid > 500)
  }

  /// Depth beyond what the scanner keeps inline, in mixed kinds.
  @Test(arguments: [1, 63, 64, 65, 127, 128, 129, 130, 200, 1_000, 100_000])
  func everyDepthIsKeptRight(_ depth: Int) throws {
    let opens = (0..<depth).map { $0 % 3 == 0 ? "{\"a\":" : "[" }.joined()
    let closes = (0..<depth).reversed().map { $0 % 3 == 0 ? "}" : "]" }.joined()
    let text = Array((opens + "1" + closes).utf8)
    try validate(text, depth: depth)
    let error = #expect(throws: JSONError.self) { try validate(text, depth: depth - 1) }
    #expect(error?.code == .tooDeep)
    // One bracket of the other kind, innermost and outermost.
    for place in [opens.utf8.count + 1, text.count - 1] {
      var wrong = text
      wrong[place] = wrong[place] == UInt8(ascii: "}") ? UInt8(ascii: "]") : UInt8(ascii: "}")
      #expect(throws: JSONError.self) { try validate(wrong, depth: depth) }
    }
  }

  @Test(arguments: [
    (" { \"a b\" : [ 1 ,\n2 ] } ", "{\"a b\":[1,2]}"), ("\"\\\" \\\\\" ", "\"\\\" \\\\\""), ("\t1\r\n", "1"),
  ])
  func compactKeepsStrings(_ text: String, _ expected: String) {
    let compact = Array(text.utf8).withUnsafeBytes { JSONText.compact($0) }
    #expect(String(decoding: compact, as: UTF8.self) == expected)
  }
}
