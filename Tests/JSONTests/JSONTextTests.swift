import JSON
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
    "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "\"\n\"", "\"\t\"", "\"\u{0}\"", "[1]x", "//", "[1]/**/",
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
    var generator = SeededGenerator(seed: 11)
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

  @Test(arguments: [
    (" { \"a b\" : [ 1 ,\n2 ] } ", "{\"a b\":[1,2]}"), ("\"\\\" \\\\\" ", "\"\\\" \\\\\""), ("\t1\r\n", "1"),
  ])
  func compactKeepsStrings(_ text: String, _ expected: String) {
    let compact = Array(text.utf8).withUnsafeBytes { JSONText.compact($0) }
    #expect(String(decoding: compact, as: UTF8.self) == expected)
  }
}
