import Testing

@testable import Gateways

@Suite struct ProtobufReaderTests {
  private func read<Value>(
    _ bytes: [UInt8], maximumDepth: Int = 32,
    _ value: (inout ProtobufReader) throws(ProtobufError) -> Value
  ) -> Result<[Value], ProtobufError> {
    bytes.withUnsafeBytes { bytes in
      Result { () throws(ProtobufError) -> [Value] in
        var reader = ProtobufReader(bytes, maximumDepth: maximumDepth)
        var values: [Value] = []
        try reader.readFields { (reader, number) throws(ProtobufError) in
          if number == 1 { values.append(try value(&reader)) }
        }
        return values
      }
    }
  }

  @Test(
    arguments: [
      ([8, 0], 0), ([8, 1], 1), ([8, 0x7F], 127), ([8, 0x80, 1], 128), ([8, 0x96, 1], 150),
      ([8, 0x80, 0], 0),
      ([8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], UInt64.max),
    ] as [([UInt8], UInt64)])
  func varints(bytes: [UInt8], value: UInt64) {
    #expect(read(bytes) { (reader) throws(ProtobufError) in try reader.readVarint() } == .success([value]))
  }

  @Test(
    arguments: [
      ([8], .truncated), ([8, 0x80], .truncated), ([0x80], .truncated),
      ([8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2], .badVarint),
      ([8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], .badVarint),
      ([0, 0], .badFieldNumber), ([2, 0], .badFieldNumber),
      ([0x80, 0x80, 0x80, 0x80, 0x10, 0], .badFieldNumber),
      ([0x0B], .badWireType), ([0x0C], .badWireType), ([0x0E], .badWireType), ([0x0F], .badWireType),
      ([10, 0], .mismatch), ([13, 0, 0, 0, 0], .mismatch),
      // Fields that nobody reads are read over, and have to be whole.
      ([0x12, 5, 1], .truncated), ([0x11, 0, 0, 0, 0, 0, 0, 0], .truncated), ([0x15, 0, 0, 0], .truncated),
      ([0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], .truncated),
    ] as [([UInt8], ProtobufError)])
  func notAMessage(bytes: [UInt8], error: ProtobufError) {
    #expect(read(bytes) { (reader) throws(ProtobufError) in try reader.readVarint() } == .failure(error))
  }

  @Test func fieldsThatNobodyReadsAreSkipped() {
    let bytes: [UInt8] =
      [0x10, 0x80, 1, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x22, 2, 8, 9, 0x2D, 1, 2, 3, 4]
      + [0xF8, 0xFF, 0xFF, 0xFF, 0x0F, 0] + [8, 7, 8, 9]
    #expect(read(bytes) { (reader) throws(ProtobufError) in try reader.readVarint() } == .success([7, 9]))
  }

  @Test func stringsAndBytes() {
    #expect(
      read([10, 2, 0xC3, 0xA4, 10, 0]) { (reader) throws(ProtobufError) in try reader.readString() }
        == .success(["ä", ""]))
    #expect(
      read([10, 1, 0xC3]) { (reader) throws(ProtobufError) in try reader.readString() } == .failure(.badText))
    #expect(
      read([10, 1, 0xC3]) { (reader) throws(ProtobufError) in Array(try reader.readBytes()) }
        == .success([[0xC3]]))
    #expect(
      read([8, 1]) { (reader) throws(ProtobufError) in try reader.readString() } == .failure(.mismatch))
    #expect(read([8, 2]) { (reader) throws(ProtobufError) in try reader.readBool() } == .success([true]))
  }

  /// Messages in messages, down to the limit and one beyond.
  @Test(arguments: [0, 1, 3])
  func nesting(limit: Int) {
    func nested(_ depth: Int) -> [UInt8] {
      (0..<depth).reduce([]) { inner, _ in [10, UInt8(inner.count)] + inner }
    }
    func descend(_ reader: inout ProtobufReader) throws(ProtobufError) -> Int {
      var depth = 1
      try reader.readMessage { (reader, number) throws(ProtobufError) in depth += try descend(&reader) }
      return depth
    }
    #expect(read(nested(limit), maximumDepth: limit, descend) == .success(limit == 0 ? [] : [limit]))
    #expect(read(nested(limit + 1), maximumDepth: limit, descend) == .failure(.tooDeep))
  }

  @Test func written() {
    var writer = ProtobufWriter()
    writer.varint(1, 300 as UInt32)
    writer.varint(2, 0 as UInt64)
    writer.bool(3, true)
    writer.bool(4, false)
    writer.string(5, "ä")
    writer.string(6, "")
    writer.bytes(7, nil)
    writer.message(8)
    writer.message(9) { $0.varint(1, UInt64.max) }
    #expect(
      writer.bytes == [8, 0xAC, 2, 0x18, 1, 0x2A, 2, 0xC3, 0xA4, 0x42, 0, 0x4A, 11, 8]
        + [UInt8](repeating: 0xFF, count: 9) + [1])
  }

  @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 100_000])
  func lengthsOfMessages(count: Int) {
    let text = String(repeating: "x", count: count)
    var writer = ProtobufWriter()
    writer.string(1, "a")
    writer.delimited { $0.string(1, text) }
    let body = count == 0 ? [] : [10] + ProtobufText.varint(UInt64(count)) + Array(text.utf8)
    #expect(writer.bytes == [10, 1, 0x61] + ProtobufText.varint(UInt64(body.count)) + body)
  }
}
