import Testing

@testable import WebSocketCore

@Suite struct PartialMessageTests {
  /// Fragments that arrive whole tell nothing of those to come: what is there must not be copied for each of them.
  @Test func manyFragmentsAreCopiedFewTimes() throws {
    var decoder = MessageDecoder(role: .server, limits: WebSocketLimits(maximumMessageBytes: 1 << 20))
    var capacities: Set<Int> = []
    for index in 0..<1_024 {
      let opcode: Opcode = index == 0 ? .binary : .continuation
      var frame = [UInt8](repeating: 0, count: FrameEncoder.encodedCount(payloadCount: 1_024, masked: true))
      let payload = [UInt8](repeating: 7, count: 1_024)
      _ = frame.withUnsafeMutableBytes { frame in
        payload.withUnsafeBytes {
          FrameEncoder.encode(
            opcode: opcode, isFinal: index == 1_023, payload: $0, maskingKey: 0x0102_0304, into: frame)
        }
      }
      var length: Int?
      try frame.withUnsafeMutableBytes { bytes in
        var input = bytes
        while let event = try decoder.next(&input) {
          if case .message(.binary, let message) = event { length = message.count }
        }
      }
      #expect(length == (index == 1_023 ? 1 << 20 : nil))
      if let capacity = decoder.partial?.payloadCapacity { capacities.insert(capacity) }
    }
    #expect(capacities == Set((0...10).map { 1_024 << $0 }))
  }
}
