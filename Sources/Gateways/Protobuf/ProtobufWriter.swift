import Bytes

/// Writes the Protobuf wire format (protobuf.dev, “Encoding”). As proto3 has it, a value that is zero or empty is left out.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  /// Writes `uint32`, `uint64`, and `int64` that is not negative.
  mutating func varint(_ number: Int, _ value: some UnsignedInteger) {
    guard value != 0 else { return }
    tag(number, 0)
    append(varint: UInt64(value))
  }

  mutating func bool(_ number: Int, _ value: Bool) { varint(number, value ? 1 as UInt64 : 0) }

  mutating func string(_ number: Int, _ value: String) {
    var value = value
    value.withUTF8 { bytes(number, UnsafeRawBufferPointer($0)) }
  }

  mutating func bytes(_ number: Int, _ value: SharedBytes?) {
    value?.withUnsafeBytes { bytes(number, $0) }
  }

  mutating func bytes(_ number: Int, _ value: UnsafeRawBufferPointer) {
    guard !value.isEmpty else { return }
    tag(number, 2)
    append(varint: UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// Writes a message within the message, also an empty one: it being there says something.
  mutating func message(_ number: Int, _ fields: (inout ProtobufWriter) -> Void = { _ in }) {
    tag(number, 2)
    delimited(fields)
  }

  /// Writes a message behind its length. Most are shorter than 128 bytes, so that one byte is left for the length, and
  /// what follows moves only if that was not enough.
  mutating func delimited(_ fields: (inout ProtobufWriter) -> Void) {
    let start = bytes.count
    bytes.append(0)
    fields(&self)
    let count = bytes.count - start - 1
    guard count > 0x7F else {
      bytes[start] = UInt8(count)
      return
    }
    var length = ProtobufWriter()
    length.append(varint: UInt64(count))
    bytes.replaceSubrange(start...start, with: length.bytes)
  }

  private mutating func tag(_ number: Int, _ wireType: UInt64) {
    append(varint: UInt64(number) << 3 | wireType)
  }

  private mutating func append(varint value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
