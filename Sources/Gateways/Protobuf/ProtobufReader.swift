/// What makes bytes no Protobuf message, or not the one that was expected.
enum ProtobufError: Error, Hashable {
  /// The bytes end inside a field.
  case truncated
  /// A varint of more than ten bytes, or beyond 64 bits.
  case badVarint
  /// A field number of 0, or one beyond 2^29 - 1.
  case badFieldNumber
  /// A wire type that is not known, or that groups used.
  case badWireType
  /// The field has another wire type than was asked for.
  case mismatch
  /// A string is not UTF-8.
  case badText
  /// Messages are nested beyond the limit.
  case tooDeep
}

/// Reads the Protobuf wire format (protobuf.dev, “Encoding”) field by field, without copying. Nothing is assumed of the
/// bytes.
struct ProtobufReader {
  /// How a field's value is spelled; groups, which proto3 does not have, are refused.
  enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case delimited = 2
    case fixed32 = 5
  }

  /// The largest field number that there is.
  private static let maximumFieldNumber: UInt64 = (1 << 29) - 1

  private let bytes: UnsafeRawBufferPointer
  /// How much has been read.
  private(set) var position = 0
  private var wireType = WireType.varint
  /// Messages that may still be opened.
  private var depthLeft: Int

  /// Makes a reader at the start of bytes, which must outlive it.
  init(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int = 32) {
    self.bytes = bytes
    depthLeft = maximumDepth
  }

  var isAtEnd: Bool { position == bytes.count }

  // MARK: Structure

  /// Reads all fields of a message. `field` is called for each with its number, the reader before its value; a value that
  /// it does not read is skipped.
  mutating func readFields(
    _ field: (inout ProtobufReader, Int) throws(ProtobufError) -> Void
  ) throws(ProtobufError) {
    while !isAtEnd {
      let tag = try nextVarint()
      let number = tag >> 3
      guard (1...Self.maximumFieldNumber).contains(number) else { throw .badFieldNumber }
      guard let wireType = WireType(rawValue: tag & 7) else { throw .badWireType }
      self.wireType = wireType
      let before = position
      try field(&self, Int(number))
      // Every value takes at least one byte.
      if position == before { try skip() }
    }
  }

  /// Reads a message within the message.
  mutating func readMessage(
    _ field: (inout ProtobufReader, Int) throws(ProtobufError) -> Void
  ) throws(ProtobufError) {
    guard depthLeft > 0 else { throw .tooDeep }
    var reader = ProtobufReader(try readBytes(), maximumDepth: depthLeft - 1)
    try reader.readFields(field)
  }

  private mutating func skip() throws(ProtobufError) {
    switch wireType {
    case .varint: _ = try nextVarint()
    case .fixed64: try advance(8)
    case .fixed32: try advance(4)
    case .delimited: _ = try nextDelimited()
    }
  }

  // MARK: Values

  /// Reads a varint: `uint32`, `uint64`, `int32`, `int64`; negative ones have their highest bit set.
  mutating func readVarint() throws(ProtobufError) -> UInt64 {
    guard wireType == .varint else { throw .mismatch }
    return try nextVarint()
  }

  /// Reads a `bool`.
  mutating func readBool() throws(ProtobufError) -> Bool { try readVarint() != 0 }

  /// Reads `bytes`, and lends them.
  mutating func readBytes() throws(ProtobufError) -> UnsafeRawBufferPointer {
    guard wireType == .delimited else { throw .mismatch }
    return try nextDelimited()
  }

  /// Reads a `string`.
  mutating func readString() throws(ProtobufError) -> String {
    guard let text = String(validating: try readBytes(), as: UTF8.self) else { throw .badText }
    return text
  }

  // MARK: Bytes

  /// Reads what a length in front of it delimits: a field's value, or one of several messages.
  mutating func nextDelimited() throws(ProtobufError) -> UnsafeRawBufferPointer {
    let count = try nextVarint()
    // Compared before it is narrowed: the length may be any number.
    guard count <= UInt64(bytes.count - position) else { throw .truncated }
    let start = position
    position += Int(count)
    return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
  }

  private mutating func nextVarint() throws(ProtobufError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard position < bytes.count else { throw .truncated }
      let byte = UInt64(bytes[position])
      position += 1
      // Of the tenth byte one bit is left.
      guard shift < 63 || byte <= 1 else { throw .badVarint }
      value |= (byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }

  private mutating func advance(_ count: Int) throws(ProtobufError) {
    guard count <= bytes.count - position else { throw .truncated }
    position += count
  }
}
