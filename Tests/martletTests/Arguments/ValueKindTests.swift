import Testing

@testable import martlet

@Suite("Kinds of values") struct ValueKindTests {
  @Test(
    "Bytes",
    arguments: [
      ("65536", 65_536), ("64KiB", 65_536), ("64k", 65_536), ("1MiB", 1 << 20), ("2GiB", 2 << 30),
      ("10B", 10),
      ("", nil), ("KiB", nil), ("-1", nil), ("1.5k", nil), ("1 KiB", nil), ("9999999999GiB", nil),
    ] as [(String, Int?)])
  func bytes(text: String, expected: Int?) {
    #expect(Quantity.bytes(text) == expected)
  }

  @Test(
    "Time spans",
    arguments: [
      ("90", 90), ("90s", 90), ("15m", 900), ("1h", 3_600), ("1h30m", 5_400), ("7d", 604_800), ("0", 0),
      ("", nil), ("-5", nil), ("h", nil), ("1w", nil), ("1h30", nil), ("99999999999999999d", nil),
    ] as [(String, Int?)])
  func seconds(text: String, expected: Int?) {
    #expect(Quantity.seconds(text) == expected)
  }

  @Test("Lists")
  func lists() throws {
    let list = ValueKind<[String]>.list("A,…")
    #expect(try list.read(.text(" a, b ,,c ")) == ["a", "b", "c"])
    #expect(try list.read(.text("")) == [])
    #expect(list.show(["a", "b\"c"]) == "[\"a\", \"b\\\"c\"]")
    #expect(throws: BadValue.self) { try list.read(.node(.string("a"))) }
  }

  @Test("Truth")
  func booleans() throws {
    #expect(try ValueKind.boolean.read(.text("yes")))
    #expect(try !ValueKind.boolean.read(.node(.bool(false))))
    #expect(throws: BadValue("is neither true nor false")) { try ValueKind.boolean.read(.text("maybe")) }
    #expect(throws: BadValue.self) { try ValueKind.boolean.read(.node(.integer(1))) }
  }
}
