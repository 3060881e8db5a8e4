import JSON
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
}
