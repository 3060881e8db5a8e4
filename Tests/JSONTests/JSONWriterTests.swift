import JSON
import TestRandomness
import Testing

@Suite struct JSONWriterTests {
  private func text(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    body(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func commasStandBetween() {
    let written = text { writer in
      writer.beginObject()
      writer.key("a")
      writer.number(1)
      writer.key("b" as String)
      writer.beginArray()
      writer.bool(true)
      writer.null()
      writer.beginObject()
      writer.endObject()
      writer.raw(Array("[2]".utf8))
      writer.endArray()
      writer.key("c")
      writer.string("d")
      writer.endObject()
    }
    #expect(written == #"{"a":1,"b":[true,null,{},[2]],"c":"d"}"#)
  }

  @Test func stringsAreEscaped() {
    #expect(
      text { $0.string("\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}é😀") }
        == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7F}é😀\"")
    #expect(text { $0.key("\n" as String) } == "\"\\n\":")
  }

  @Test func numbersAreExact() {
    #expect(text { $0.number(UInt64.max) } == "18446744073709551615")
    #expect(text { $0.number(Int64.min) } == "-9223372036854775808")
    #expect(text { $0.number(1.5) } == "1.5")
    #expect(text { $0.number(2.0) } == "2")
    #expect(text { $0.number(Double.infinity) } == "null")
    #expect(text { $0.number(Double.nan) } == "null")
  }

  @Test func aWriterIsUsedAgain() {
    var writer = JSONWriter()
    writer.number(1)
    writer.removeAll()
    writer.number(2)
    #expect(writer.bytes == Array("2".utf8))
  }

  /// Every scalar up to U+00FF and some beyond: written, the text is valid, and reads back the same.
  @Test func everyCharacterReadsBack() throws {
    let scalars =
      Array(UInt32(0)...0xFF) + [0x2028, 0x2029, 0xD7FF, 0xE000, 0xFEFF, 0xFFFF, 0x10000, 0x10FFFF]
    for scalar in scalars.compactMap(Unicode.Scalar.init) {
      var writer = JSONWriter()
      writer.string("a\(Character(scalar))b")
      let value = try JSONValue(parsing: writer.bytes)
      #expect(value.stringValue.map { Array($0.unicodeScalars) } == ["a", scalar, "b"])
      #expect(writer.bytes.allSatisfy { $0 >= 0x20 })
    }
  }

  @Test(arguments: [
    0.1, -0.1, 1e21, 1.7976931348623157e308, .leastNonzeroMagnitude, 123456.789, 1e-7, 1.0e16, -1e300,
    9007199254740993.5,
    .leastNormalMagnitude, .ulpOfOne, 2.5e-10, 1e19, -9.3e18,
  ])
  func doublesReadBack(_ number: Double) throws {
    var writer = JSONWriter()
    writer.number(number)
    #expect(try JSONValue(parsing: writer.bytes).doubleValue == number)
  }

  @Test func randomDoublesReadBack() throws {
    var generator = SeededRandom(seed: 4)
    for _ in 0..<5_000 {
      let number = Double(bitPattern: generator.next())
      guard number.isFinite else { continue }
      var writer = JSONWriter()
      writer.number(number)
      #expect(try JSONValue(parsing: writer.bytes).doubleValue == number)
    }
  }

  @Test func emptyAndNestedStructures() {
    let written = text { writer in
      writer.beginArray()
      for _ in 0..<2 {
        writer.beginObject()
        writer.key("a")
        writer.beginArray()
        writer.endArray()
        writer.key("b")
        writer.beginObject()
        writer.endObject()
        writer.endObject()
      }
      writer.string("")
      writer.number(-1)
      writer.bool(false)
      writer.endArray()
    }
    #expect(written == #"[{"a":[],"b":{}},{"a":[],"b":{}},"",-1,false]"#)
  }

  /// A literal is written as it stands, without a look at its bytes; what needs escapes is passed as a `String`.
  @Test func literalNamesAreNotSearched() {
    #expect(text { $0.key("\\u0061") } == #""\u0061":"#)
    #expect(text { $0.key("\\u0061" as String) } == #""\\u0061":"#)
  }
}
