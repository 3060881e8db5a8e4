import Testing

@testable import WebSocketCore

@Suite struct FrameHeaderTests {
  static let lengths: [UInt64] = [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 32, (1 << 63) - 1]

  @Test(arguments: lengths, [nil, 0x3D21_FA37] as [UInt32?])
  func comesBackFromEveryPrefix(_ length: UInt64, _ key: UInt32?) throws {
    for opcode in [Opcode.text, .binary, .continuation] {
      for isFinal in [true, false] {
        let header = FrameHeader(isFinal: isFinal, opcode: opcode, payloadLength: length, maskingKey: key)
        var bytes = [UInt8](repeating: 0xEE, count: FrameHeader.maximumCount)
        let count = bytes.withUnsafeMutableBytes { header.encode(into: $0) }
        #expect(count == header.encodedCount)
        #expect(bytes[count...].allSatisfy { $0 == 0xEE })
        for end in 0...bytes.count {
          let parsed = try Array(bytes[..<end]).withUnsafeBytes {
            try FrameHeader.parse($0, receivedBy: key == nil ? .client : .server)
          }
          #expect(parsed == (end < count ? nil : header))
        }
      }
    }
  }

  @Test func rsv1IsForThoseWhoNegotiatedIt() throws {
    let header = FrameHeader(rsv1: true, opcode: .text, payloadLength: 3)
    var bytes = [UInt8](repeating: 0, count: 2)
    bytes.withUnsafeMutableBytes { _ = header.encode(into: $0) }
    #expect(bytes == [0xC1, 0x03])
    let parsed = try bytes.withUnsafeBytes {
      try FrameHeader.parse($0, receivedBy: .client, permitsRSV1: true)
    }
    #expect(parsed == header)
    #expect(throws: ProtocolViolation.reservedBit) {
      try bytes.withUnsafeBytes { try FrameHeader.parse($0, receivedBy: .client) }
    }
    for first in [0xA1, 0x91, 0xC8, 0xC9, 0xCA] as [UInt8] {
      #expect(throws: ProtocolViolation.reservedBit) {
        try [first, 0].withUnsafeBytes {
          try FrameHeader.parse($0, receivedBy: .client, permitsRSV1: true)
        }
      }
    }
  }

  @Test func opcodes() {
    for raw in UInt8(0)...255 {
      let isKnown = [0, 1, 2, 8, 9, 10].contains(raw)
      #expect((Opcode(rawValue: raw) != nil) == isKnown)
      if let opcode = Opcode(rawValue: raw) { #expect(opcode.isControl == (raw >= 8)) }
    }
  }
}
