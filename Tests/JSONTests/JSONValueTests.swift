import JSON
import TestRandomness
import Testing

@Suite struct JSONValueTests {
  private static func string(_ generator: inout SeededRandom) -> String {
    let scalars = (0..<Int.random(in: 0...8, using: &generator)).compactMap { _ in
      let highest: [UInt32] = [0x1F, 0x7E, 0x7FF, 0xFFFF, 0x10FFFF]
      return Unicode.Scalar(
        UInt32.random(in: 0...(highest.randomElement(using: &generator) ?? 0), using: &generator))
    }
    var text = ""
    text.unicodeScalars.append(contentsOf: scalars)
    return text
  }

  /// A fraction that is not whole: a whole double is written without a point and read as an integer.
  private static func fraction(_ generator: inout SeededRandom) -> Double {
    Double(Int.random(in: -1_000_000...1_000_000, using: &generator)) + 0.1
  }

  private static func value(_ depth: Int, _ generator: inout SeededRandom) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &generator) {
    case 0: .null
    case 1: .bool(.random(using: &generator))
    case 2: .int(.random(in: .min ... .max, using: &generator))
    case 3: .double(fraction(&generator))
    case 4: .string(string(&generator))
    case 5: .array((0..<Int.random(in: 0...4, using: &generator)).map { _ in value(depth - 1, &generator) })
    default:
      .object(
        (0..<Int.random(in: 0...4, using: &generator)).map { index in
          JSONValue.Member("\(index)" + string(&generator), value(depth - 1, &generator))
        })
    }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func whatIsWrittenIsReadBack(_ seed: UInt64) throws {
    var generator = SeededRandom(seed: seed)
    let value = Self.value(5, &generator)
    let text = value.encoded
    #expect(try JSONValue(parsing: text) == value)
    #expect(text.withUnsafeBytes { JSONText.compact($0) } == text)
    #expect(!text.contains(UInt8(ascii: "\n")))
  }

  @Test func theLastOfTwoMembersCounts() throws {
    let value = try JSONValue(parsing: Array(#"{"a":1,"b":2,"a":3}"#.utf8))
    #expect(value == .object([.init("a", .int(3)), .init("b", .int(2))]))
    #expect(value["a"]?.intValue == 3)
    #expect(value["c"] == nil)
  }

  @Test func accessorsAnswerForTheirKindOnly() {
    #expect(JSONValue.double(5).intValue == 5)
    #expect(JSONValue.double(5.5).intValue == nil)
    #expect(JSONValue.double(1e300).intValue == nil)
    #expect(JSONValue.int(5).doubleValue == 5)
    #expect(JSONValue.string("x").boolValue == nil)
    #expect(JSONValue.bool(true).boolValue == true)
    #expect(JSONValue.array([.null]).arrayValue == [.null])
    #expect(JSONValue.null["a"] == nil)
  }
}
