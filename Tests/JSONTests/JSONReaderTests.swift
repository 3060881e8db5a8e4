import JSON
import Testing

/// Reads a text with a reader; every byte of it must be used.
func read<R>(_ text: String, depth: Int = 128, _ body: (inout JSONReader) throws -> R) throws -> R {
  try Array(text.utf8).withUnsafeBytes { bytes in
    var reader = JSONReader(bytes, maximumDepth: depth)
    let result = try body(&reader)
    try reader.finish()
    return result
  }
}

@Suite struct JSONReaderTests {
  @Test func readsMembersAndSkipsTheRest() throws {
    let text = #" { "skip": [1, {"a": [null]}], "id" : 7, "name":"Zoë\n", "raw": { "x" : 1 } , "ok":true } "#
    var (id, name, raw, isOK): (Int64, String, String, Bool) = (0, "", "", false)
    try read(text) { reader in
      try reader.readObject { (reader, key) throws(JSONError) in
        switch key {
        case "id": id = try reader.readInt64()
        case "name": name = try reader.readString()
        case "raw": raw = String(decoding: try reader.readRaw(), as: UTF8.self)
        case "ok": isOK = try reader.readBool()
        default: break
        }
      }
    }
    #expect(id == 7)
    #expect(name == "Zoë\n")
    #expect(raw == #"{ "x" : 1 }"#)
    #expect(isOK)
  }

  @Test func anEscapedNameIsTheSameName() throws {
    var seen: [String] = []
    try read(#"{"\u0069d":1,"i\u0064x":2,"":3}"#) { reader in
      try reader.readObject { (_, key) throws(JSONError) in
        seen.append(key == "id" ? "matched" : key.string)
      }
    }
    #expect(seen == ["matched", "idx", ""])
  }

  @Test func readsElements() throws {
    var numbers: [Int64] = []
    try read("[1,\t2 ,\r\n3]") { reader in
      try reader.readArray { (reader) throws(JSONError) in numbers.append(try reader.readInt64()) }
    }
    #expect(numbers == [1, 2, 3])
  }

  @Test(arguments: [
    ("0", 0), ("-0", 0), ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
    ("1e3", 1_000), ("5.0", 5),
  ])
  func readsWholeNumbers(_ text: String, _ expected: Int64) throws {
    #expect(try read(text) { try $0.readInt64() } == expected)
  }

  @Test(arguments: [
    "9223372036854775808", "-9223372036854775809", "1.5", "1e400", "1e19", "-9223372036854775809.0",
    "9007199254740992.5", "99999999999999999999999", "\"1\"",
  ])
  func refusesWhatIsNoInt64(_ text: String) {
    let error = #expect(throws: JSONError.self) { try read(text) { try $0.readInt64() } }
    #expect(error?.code == .mismatch)
  }

  @Test func unsignedNumbersGoToTheirEnd() throws {
    #expect(try read("18446744073709551615") { try $0.readUInt64() } == .max)
    for text in ["18446744073709551616", "-1"] {
      #expect(throws: JSONError.self) { try read(text) { try $0.readUInt64() } }
    }
  }

  @Test func numbersThatAreTooLargeAreRefused() throws {
    #expect(try read("-1.25e2") { try $0.readDouble() } == -125)
    #expect(throws: JSONError.self) { try read("1e999") { try $0.readDouble() } }
    let long = String(repeating: "9", count: 100_000)
    #expect(throws: JSONError.self) { try read(long) { try $0.readDouble() } }
    #expect(throws: JSONError.self) { try read(long) { try $0.readInt64() } }
  }

  @Test func nullIsReadOnlyWhereItStands() throws {
    #expect(try read("null") { try $0.readNull() })
    let (wasNull, number) = try read("1") { reader in (try reader.readNull(), try reader.readInt64()) }
    #expect(!wasNull)
    #expect(number == 1)
  }

  @Test func aMismatchIsNotInvalid() {
    for text in ["1", "true", "[]", "{}", "null"] {
      let error = #expect(throws: JSONError.self) { try read(text) { try $0.readString() } }
      #expect(error?.code == .mismatch)
    }
  }

  /// Each kind of value against each way to read it.
  @Test(arguments: [
    ("{}", JSONReader.Kind.object), ("[]", .array), ("\"a\"", .string), ("1", .number), ("-1", .number),
    ("true", .bool), ("false", .bool), ("null", .null),
  ])
  func everyKindIsReadAsItselfOnly(_ text: String, _ kind: JSONReader.Kind) throws {
    #expect(
      try read(" " + text) { (reader) in
        let kind = try reader.peekKind()
        _ = try reader.readRaw()
        return kind
      } == kind)
    func code(_ body: (inout JSONReader) throws -> Void) -> JSONError.Code? {
      do {
        try read("\n" + text) { try body(&$0) }
        return nil
      } catch {
        return (error as? JSONError)?.code
      }
    }
    #expect(code { _ = try $0.readString() } == (kind == .string ? nil : .mismatch))
    #expect(code { _ = try $0.readInt64() } == (kind == .number ? nil : .mismatch))
    #expect(code { _ = try $0.readDouble() } == (kind == .number ? nil : .mismatch))
    #expect(code { _ = try $0.readBool() } == (kind == .bool ? nil : .mismatch))
    #expect(code { try $0.readObject { (_, _) throws(JSONError) in } } == (kind == .object ? nil : .mismatch))
    #expect(code { try $0.readArray { (_) throws(JSONError) in } } == (kind == .array ? nil : .mismatch))
  }

  @Test func emptyTextIsTruncated() {
    for text in ["", " \n"] {
      let error = #expect(throws: JSONError.self) { try read(text) { try $0.peekKind() } }
      #expect(error?.code == .truncated && error?.offset == text.utf8.count)
    }
  }

  /// Values that are not read are validated all the same.
  @Test(arguments: [
    "{\"a\":01}", "{\"a\":[1,]}", "{\"a\":\"\\x\"}", "{\"a\":tru}", "{\"a\":{\"b\"}}", "[[}]", "[nul]",
  ])
  func skippedValuesAreValidated(_ text: String) {
    #expect(throws: JSONError.self) {
      try read(text) { reader in
        if text.hasPrefix("{") {
          try reader.readObject { (_, _) throws(JSONError) in }
        } else {
          try reader.readArray { (_) throws(JSONError) in }
        }
      }
    }
  }

  @Test func readersNestAndSkipAtEveryLevel() throws {
    var found: [String] = []
    try read(#"{"a":{"x":[1,2],"y":{"z":"deep"}},"b":[{"k":1},{"n":[[]]},{"k":2,"m":null}],"c":{}}"#) {
      reader in
      try reader.readObject { (reader, key) throws(JSONError) in
        let name = key.string
        if name == "a" {
          try reader.readObject { (reader, key) throws(JSONError) in
            guard key == "y" else { return }
            try reader.readObject { (reader, _) throws(JSONError) in found.append(try reader.readString()) }
          }
        } else if name == "b" {
          try reader.readArray { (reader) throws(JSONError) in
            try reader.readObject { (reader, key) throws(JSONError) in
              if key == "k" { found.append("\(try reader.readInt64())") }
            }
          }
        }
      }
    }
    #expect(found == ["deep", "1", "2"])
  }

  /// Depth is counted over readers and skipping together, and given back.
  @Test func depthIsSharedAndGivenBack() throws {
    func descend(_ text: String, _ depth: Int) throws {
      try read(text, depth: depth) { reader in
        try reader.readArray { (reader) throws(JSONError) in
          try reader.readArray { (_) throws(JSONError) in }
        }
      }
    }
    try descend("[[[1],[2]],[[3]],[]]", 3)
    try descend("[[],[],[],[]]", 2)
    let error = #expect(throws: JSONError.self) { try descend("[[[1]]]", 2) }
    #expect(error?.code == .tooDeep && error?.offset == 2)
    #expect(throws: JSONError.self) { try descend("[[]]", 1) }
    #expect(throws: JSONError.self) { try descend("[]", 0) }
    try read(String(repeating: " ", count: 9) + "7", depth: 0) { _ = try $0.readInt64() }
  }

  @Test(arguments: [
    (#""""#, ""), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0000""#, "\u{0}"),
    (#""\u00e9\u00E9""#, "éé"), (#""\u20AC""#, "€"), (#""\ud83d\ude00!""#, "😀!"),
    (#""\uD7FF\uE000""#, "\u{D7FF}\u{E000}"),
    (#""\uD800\uDC00""#, "\u{10000}"), (#""\udbff\udfff""#, "\u{10FFFF}"),
    (#""\ufffe\uFFFF""#, "\u{FFFE}\u{FFFF}"),
    (#""\\u0041""#, "\\u0041"), ("\"\u{7F}é😀\"", "\u{7F}é😀"),
  ])
  func escapes(_ text: String, _ expected: String) throws {
    let string = try read(text) { try $0.readString() }
    #expect(Array(string.unicodeScalars) == Array(expected.unicodeScalars))
    // The same as a member's name.
    try read("{\(text):1}") { reader in
      try reader.readObject { (_, key) throws(JSONError) in
        if Array(key.string.unicodeScalars) != Array(expected.unicodeScalars) {
          Issue.record("\(key.string)")
        }
      }
    }
  }

  @Test func namesCompareWithLiterals() throws {
    func matches(_ name: String, _ literal: StaticString) throws -> Bool {
      var result = false
      try read("{\(name):1}") { reader in
        try reader.readObject { (_, key) throws(JSONError) in result = key == literal }
      }
      return result
    }
    #expect(try matches(#""channel""#, "channel") && matches(#""chann\u0065l""#, "channel"))
    #expect(try matches(#""\u0063\u0068""#, "ch") && matches(#""""#, ""))
    #expect(try !matches(#""channels""#, "channel") && !matches(#""channe""#, "channel"))
    #expect(try !matches(#""Channel""#, "channel") && !matches(#""chann\\u0065l""#, "channel"))
    #expect(try !matches(#""a""#, "") && !matches(#""""#, "a"))
  }

  @Test(arguments: [
    ("0", 0), ("-0.0", 0), ("1.5", 1.5), ("-2E-3", -0.002), ("1e308", 1e308),
    ("5e-324", .leastNonzeroMagnitude),
    ("1e-400", 0),
    ("0.1", 0.1), ("123456789012345678901234567890", 1.2345678901234568e29), ("1E+2", 100),
  ])
  func readsDoubles(_ text: String, _ expected: Double) throws {
    #expect(try read(text) { try $0.readDouble() } == expected)
  }

  @Test func rawValuesAreTrimmedSlices() throws {
    for (text, raw) in [
      (" [1 , 2] ", "[1 , 2]"), ("\t\"a b\"\n", "\"a b\""), (" -1.5e3 ", "-1.5e3"), ("\r{ }", "{ }"),
    ] {
      #expect(try read(text) { String(decoding: try $0.readRaw(), as: UTF8.self) } == raw)
    }
  }

  @Test(arguments: [
    ("[1,x]", 3), ("{\"a\" 1}", 5), ("[1 2]", 3), ("[01]", 1), ("\"ab\u{1}\"", 3), ("1 x", 2), ("[tru]", 1),
    ("{\"a\":1,}", 7),
  ])
  func errorsSayWhere(_ text: String, _ offset: Int) {
    let error = #expect(throws: JSONError.self) {
      try Array(text.utf8).withUnsafeBytes { try JSONText.validate($0) }
    }
    #expect(error?.offset == offset && error?.code == .invalid)
    #expect(error?.description.hasSuffix("(at byte \(offset))") == true)
  }
}
