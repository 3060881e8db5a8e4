import TestRandomness
import Testing
import _StringProcessing

@testable import Realtime

@Suite("Regular expressions over names of channels") struct RegularExpressionTests {
  @Test(
    arguments: [
      ("^posts_[\\d+]$", "posts_1", true), ("^posts_[\\d+]$", "posts_+", true),
      ("^posts_[\\d+]$", "posts_12", false),
      ("posts", "my:posts:1", true), ("^posts", "my:posts", false), ("posts$", "posts:1", false),
      ("", "", true),
      ("", "x", true), ("^$", "", true), ("^$", "x", false), ("a|b|", "c", true), ("^(?:a|b|)$", "c", false),
      ("^(a|bc)+$", "abcbca", true), ("^(a|bc)+$", "abcb", false), ("^a{2,3}$", "aaaa", false),
      ("^a{2,3}$", "aaa", true),
      ("^a{2,}$", "a", false), ("^a{2,}$", "aaaaaa", true), ("^a{0}$", "", true), ("^a{2}b?$", "aab", true),
      ("^a{,2}$", "a{,2}", true), ("^a{x}$", "a{x}", true), ("^[^:]+:[a-c_-]*$", "n:a-_c", true),
      ("^[]a]+$", "]a]", true), ("^[^]a]$", "b", true), ("^[a\\]]$", "]", true), ("^\\.\\*$", ".*", true),
      ("^\\.\\*$", "x*", false), ("^é.ß$", "é🐦ß", true), ("^[à-ü]$", "é", true), ("\\Aa\\z", "a", true),
      ("\\Aa\\z", "ab", false), ("^\\w+\\D\\S$", "ab_9x!", true), ("^\\W$", "é", true),
      ("^[\\D]$", "1", false),
      ("^(a*)*$", "aaab", false), ("^(a*)*b$", "aaab", true), ("^(()|a)*$", "aa", true),
      ("a*?b+?c??", "b", true), ("x^", "x", false), ("$^", "", true), ("(^|:)x", "a:x", true),
      ("(^|:)x", "ax", false),
    ] as [(String, String, Bool)])
  func matching(_ text: String, _ name: String, _ isMatch: Bool) throws {
    #expect(try RegularExpression(text).matches(name) == isMatch)
  }

  @Test(arguments: [
    ("(", "it has a ( that is not closed"), ("a)", "it has a ) without a ("),
    ("[a", "it has a [ that is not closed"),
    ("[]", "it has a [ that is not closed"), ("*a", "a repetition has nothing to repeat"),
    ("a|+", "a repetition has nothing to repeat"), ("a**", "a repetition follows a repetition"),
    ("a{2}{3}", "a repetition follows a repetition"), ("a\\", "it ends with a \\"),
    ("[\\", "it ends with a \\"),
    ("[b-a]", "a range in […] ends before it begins"), ("[a-\\d]", "a range in […] ends with a class"),
    ("[[:alpha:]]", "[:…:] is not supported"), ("(?i)a", "(? is not supported, except (?:…)"),
    ("(?P<n>a)", "(? is not supported, except (?:…)"), ("(a)\\1", "\\1 is not supported"),
    ("\\bx", "\\b is not supported"), ("\\pL", "\\p is not supported"), ("\\x41", "\\x is not supported"),
    ("a{1001}", "it repeats something more than 1000 times"),
    ("a{0,9999999999999999999}", "it repeats something more than 1000 times"),
    ("a{3,2}", "a repetition asks for at least 3 and at most 2"),
  ])
  func refusals(_ text: String, _ reason: String) {
    #expect(throws: RegularExpressionError(reason)) { try RegularExpression(text) }
  }

  @Test("Length, depth and size at, below and above their limits")
  func limits() throws {
    for (letters, isTaken) in [(254, true), (255, true), (256, false)] {
      let text = String(repeating: "a", count: letters)
      #expect(((try? RegularExpression(text)) != nil) == isTaken)
    }
    for (depth, isTaken) in [(31, true), (32, true), (33, false)] {
      let text = String(repeating: "(", count: depth) + String(repeating: ")", count: depth)
      #expect(((try? RegularExpression(text)) != nil) == isTaken)
    }
    // One instruction for each letter, and one for the match.
    for (count, isTaken) in [(9, true), (10, false), (11, false)] {
      #expect(((try? RegularExpression("a{\(count)}", maximumInstructions: 10)) != nil) == isTaken)
    }
    #expect(try RegularExpression("a{9}", maximumInstructions: 10).instructionCount == 10)
    // What makes no instructions takes no time either.
    for text in [
      "((((){1000}){1000}){1000}){1000}", "((((|){999}){999}){999}){999}", "((((a{9}){9}){9}){9}){9}",
    ] {
      #expect(throws: RegularExpressionError("it takes more than 1024 instructions")) {
        try RegularExpression(text)
      }
    }
  }

  @Test("Names that would take a backtracking matcher for ever")
  func evil() throws {
    let name = String(repeating: "a", count: 254) + "!"
    for text in ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^(.*a){20}$", "^(a*)*$", "(a?){100}a{100}$"] {
      #expect(try !RegularExpression(text).matches(name), "\(text)")
    }
  }

  /// The standard library's matcher, which backtracks, has the last word on small ones.
  @Test func randomExpressions() throws {
    var random = SeededRandom(seed: 7)
    var matches = 0
    for _ in 0..<3_000 {
      let text = Self.expression(&random, depth: 3)
      let ours = try RegularExpression(text)
      let theirs = try Regex(text).matchingSemantics(.unicodeScalar)
      for _ in 0..<6 {
        let name = String(
          (0..<Int.random(in: 0...6, using: &random)).map { _ in "abc".randomElement(using: &random) ?? "a" })
        let isMatch = (try theirs.firstMatch(in: name)) != nil
        #expect(ours.matches(name) == isMatch, "\(text) in \(name)")
        matches += isMatch ? 1 : 0
      }
    }
    #expect((3_000..<15_000).contains(matches))
  }

  private static func expression(_ random: inout SeededRandom, depth: Int) -> String {
    func part(_ random: inout SeededRandom) -> String { expression(&random, depth: depth - 1) }
    switch Int.random(in: 0..<(depth > 0 ? 12 : 4), using: &random) {
    case 0...1: return ["a", "b", "c"].randomElement(using: &random) ?? "a"
    case 2: return [".", "[ab]", "[^a]", "[b-c]", "\\w", "\\D"].randomElement(using: &random) ?? "."
    case 3: return "a"
    case 4...6: return part(&random) + part(&random)
    case 7: return "(?:\(part(&random))|\(part(&random)))"
    case 8: return "(\(part(&random)))*"
    case 9:
      return "(?:\(part(&random)))"
        + (["+", "?", "{1,2}", "{2}", "{2,}"].randomElement(using: &random) ?? "+")
    case 10: return "^" + part(&random)
    default: return part(&random) + "$"
    }
  }
}
