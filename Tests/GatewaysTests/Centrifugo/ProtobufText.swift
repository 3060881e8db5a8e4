@testable import Gateways

/// A Protobuf message as a test writes it down, after the field numbers of client.proto: `"1:5 4{2:'x'}"`.
///
/// A number and a colon begin a varint or, in quotes, a string; a number and a brace a message. Written by hand, so that
/// the tests do not depend on the code they test.
enum ProtobufText {
  /// The message's bytes, without a length.
  static func message(_ text: String) -> [UInt8] {
    var rest = Substring(text)
    return fields(&rest)
  }

  /// Messages, each behind its length.
  static func stream(_ texts: String...) -> [UInt8] {
    texts.flatMap { text in
      let bytes = message(text)
      return varint(UInt64(bytes.count)) + bytes
    }
  }

  static func varint(_ value: UInt64) -> [UInt8] {
    value < 128 ? [UInt8(value)] : [UInt8(value & 127) | 128] + varint(value >> 7)
  }

  private static func fields(_ rest: inout Substring) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      rest = rest.drop { $0 == " " }
      guard let first = rest.first, first != "}" else {
        rest = rest.dropFirst()
        return bytes
      }
      let number = UInt64(rest.prefix { $0.isNumber }) ?? 0
      rest = rest.drop { $0.isNumber }
      let isMessage = rest.removeFirst() == "{"
      if isMessage {
        bytes += delimited(number, fields(&rest))
      } else if rest.first == "'" {
        let value = rest.dropFirst().prefix { $0 != "'" }
        rest = rest[value.endIndex...].dropFirst()
        bytes += delimited(number, Array(value.utf8))
      } else {
        bytes += varint(number << 3) + varint(UInt64(rest.prefix { $0.isNumber }) ?? 0)
        rest = rest.drop { $0.isNumber }
      }
    }
  }

  private static func delimited(_ number: UInt64, _ value: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(UInt64(value.count)) + value
  }
}
