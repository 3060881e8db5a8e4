import Bytes
import Testing

@Suite struct ByteWriterTests {
  @Test func writesInOrder() {
    var writer = ByteWriter(capacity: 4)
    writer.append(UInt8(ascii: "a"))
    writer.append("bc")
    writer.append(utf8: "dé"[...])
    writer.append(contentsOf: [0, 255])
    ([1, 2] as [UInt8]).withUnsafeBytes { writer.append($0) }
    #expect(writer.bytes == [0x61, 0x62, 0x63, 0x64, 0xC3, 0xA9, 0, 255, 1, 2])
    #expect(writer.count == 10)
    writer.removeAll()
    #expect(writer.bytes.isEmpty)
  }

  @Test(arguments: [0, 1, 9, 10, 99, 100, -1, -10, Int64.max, Int64.min])
  func decimalsAreAsSwiftWritesThem(_ number: Int64) {
    var writer = ByteWriter()
    writer.append(utf8: "x")
    writer.appendDecimal(number)
    #expect(writer.bytes == Array("x\(number)".utf8))
  }

  @Test func theLargestNumberIsWritten() {
    var writer = ByteWriter()
    writer.appendDecimal(UInt64.max)
    writer.append(UInt8(ascii: " "))
    writer.appendHexadecimal(UInt64.max)
    writer.append(UInt8(ascii: " "))
    writer.appendHexadecimal(0)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "18446744073709551615 ffffffffffffffff 0")
  }
}
