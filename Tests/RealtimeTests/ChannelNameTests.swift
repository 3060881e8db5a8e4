import Testing

@testable import Realtime

@Suite struct ChannelNameTests {
  @Test(arguments: ["a", "news:1", "$ns:x", "ü", "a b", String(repeating: "x", count: 255)])
  func accepts(_ name: String) {
    #expect(ChannelName(name)?.text == name)
  }

  @Test(arguments: [
    "", "a\n", "\u{0}", "a\u{7f}", String(repeating: "x", count: 256), String(repeating: "ü", count: 128),
  ])
  func refuses(_ name: String) {
    #expect(ChannelName(name) == nil)
  }

  @Test(
    arguments: [
      ("a", nil), ("news:1", "news"), ("news:a:b", "news"), (":a", ""), ("$news:1", "news"), ("$a", nil),
      ("$:a", ""), ("a$:b", "a$"),
    ] as [(String, String?)])
  func namespace(_ name: String, _ namespace: String?) throws {
    #expect(try #require(ChannelName(name)).namespace.map(String.init) == namespace)
  }

  @Test(arguments: [
    ("d#ann,bob", "ann", true), ("d#ann,bob", "bob", true), ("d#ann,bob", "an", false),
    ("d#ann,bob", "", false),
    ("d#", "", false), ("d#,", "", false), ("d#x#ann", "x", false), ("d#x#ann", "ann", true),
    ("d", "d", false),
    ("d#ann,bob", "ann,bob", false),
  ])
  func listedUsers(_ name: String, _ user: String, _ isListed: Bool) throws {
    #expect(try #require(ChannelName(name)).lists(user: user) == isListed)
  }
}

@Suite struct ChannelPatternTests {
  @Test(arguments: [
    ("", "any", true), ("*", "", true), ("news:*", "news:1", true), ("news:*", "news:", true),
    ("news:*", "new", false),
    ("a?c", "abc", true), ("a?c", "ac", false), ("*b*", "abc", true), ("*x*", "abc", false),
    ("a*b*c", "aXbYbZc", true),
    ("a", "ab", false), ("ab", "a", false), ("**", "q", true), ("a[b]", "ab", false), ("a[b]", "a[b]", true),
  ])
  func matching(_ pattern: String, _ name: String, _ matches: Bool) {
    #expect(ChannelPattern(pattern).matches(name) == matches)
  }

  @Test func aHostilePatternTakesNoExponentialTime() {
    let pattern = ChannelPattern(String(repeating: "*a", count: 100) + "b")
    #expect(!pattern.matches(String(repeating: "a", count: 255)))
  }
}

@Suite struct StableHashTests {
  /// FNV-1a's published values, folded.
  @Test(arguments: [
    ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8),
  ])
  func known(_ text: String, _ fnv: UInt64) {
    #expect(StableHash.hash(text) == fnv ^ (fnv >> 32))
  }

  @Test func spreadsNumberedNames() {
    var counts = [Int](repeating: 0, count: 8)
    for number in 0..<8_000 { counts[StableHash.owner(of: "room:\(number)", among: 8)] += 1 }
    #expect(counts.allSatisfy { (700...1_300).contains($0) })
  }
}
