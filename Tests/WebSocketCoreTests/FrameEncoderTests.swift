import Bytes
import Testing

@testable import WebSocketCore

@Suite struct FrameEncoderTests {
  private func encode(
    _ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true, key: [UInt8]? = nil
  ) -> [UInt8] {
    // A byte more than needed, which must stay as it is.
    let count = FrameEncoder.encodedCount(payloadCount: payload.count, masked: key != nil)
    var bytes = [UInt8](repeating: 0xEE, count: count + 1)
    let written = bytes.withUnsafeMutableBytes { buffer in
      payload.withUnsafeBytes {
        FrameEncoder.encode(
          opcode: opcode, isFinal: isFinal, payload: $0, maskingKey: key.map(Wire.word), into: buffer)
      }
    }
    #expect(written == count && bytes.last == 0xEE)
    return Array(bytes[..<written])
  }

  @Test func examplesOfTheRFC() {
    let hello = Array("Hello".utf8)
    #expect(encode(.text, hello) == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
    #expect(
      encode(.text, hello, key: Wire.key) == [
        0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
      ])
    #expect(encode(.text, Array("Hel".utf8), isFinal: false) == [0x01, 0x03, 0x48, 0x65, 0x6C])
    #expect(encode(.continuation, Array("lo".utf8)) == [0x80, 0x02, 0x6C, 0x6F])
    #expect(encode(.ping, hello) == [0x89, 0x05] + hello)
    #expect(
      encode(.pong, hello, key: Wire.key) == [
        0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
      ])
    #expect(encode(.close, [0x03, 0xE8]) == [0x88, 0x02, 0x03, 0xE8])
  }

  @Test(arguments: [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537])
  func matchesTheReference(_ count: Int) {
    let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ 5) }
    #expect(encode(.binary, payload) == Wire.frame(0x82, payload))
    #expect(encode(.binary, payload, isFinal: false) == Wire.frame(0x02, payload))
    #expect(encode(.binary, payload, key: Wire.key) == Wire.frame(0x82, payload, key: Wire.key))
    #expect(encode(.binary, payload, key: [0, 0, 0, 0]) == Wire.frame(0x82, payload, key: [0, 0, 0, 0]))
    payload.withUnsafeBytes {
      #expect(FrameEncoder.serverFrame(.text, $0).array == Wire.frame(0x81, payload))
    }
  }

  @Test func encodedCounts() {
    for (payload, count) in [(0, 2), (125, 127), (126, 130), (65_535, 65_539), (65_536, 65_546)] {
      #expect(FrameEncoder.encodedCount(payloadCount: payload, masked: false) == count)
      #expect(FrameEncoder.encodedCount(payloadCount: payload, masked: true) == count + 4)
    }
  }
}
