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
}
