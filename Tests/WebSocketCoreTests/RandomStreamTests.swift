import Bytes
import TestRandomness
import Testing

@testable import WebSocketCore

@Suite struct RandomStreamTests {
  /// Random messages in random fragments with control frames between them, written by ``FrameHeader`` and
  /// ``Masking``, read in random pieces.
  @Test(arguments: [WebSocketRole.server, .client], [MessageDelivery.whole, .fragments])
  func framesComeBackAsMessages(_ role: WebSocketRole, _ delivery: MessageDelivery) {
    var random = SeededRandom(seed: role == .server ? 11 : 12)
    for round in 0..<150 {
      var stream: [UInt8] = []
      var events: [Decoded.Event] = []
      for _ in 0...random.below(6) { addMessage(&stream, &events, &random, role) }
      for _ in 0..<3 {
        let pieces = (0...random.below(20)).map { _ in 1 + random.below(1 << random.below(12)) }
        let decoded = Decoded(stream, pieces: pieces, role: role, delivery: delivery)
        #expect(decoded.violation == nil && decoded.isIdle, "round \(round), pieces \(pieces)")
        #expect(decoded.events == events, "round \(round), pieces \(pieces)")
      }
    }
  }

  private func addMessage(
    _ stream: inout [UInt8], _ events: inout [Decoded.Event], _ random: inout SeededRandom,
    _ role: WebSocketRole
  ) {
    let isText = random.below(2) == 0
    let size = random.below(1 << random.below(13))
    let payload = isText ? text(size, &random) : random.bytes(size)
    var start = 0
    var isFirst = true
    repeat {
      let isFinal = random.below(3) == 0
      let end = isFinal ? payload.count : start + random.below(payload.count - start + 1)
      let opcode: Opcode = isFirst ? isText ? .text : .binary : .continuation
      stream += frame(opcode, isFinal, Array(payload[start..<end]), &random, role)
      if random.below(4) == 0 {
        let ping = random.bytes(random.below(126))
        let isPing = random.below(2) == 0
        stream += frame(isPing ? .ping : .pong, true, ping, &random, role)
        // A control frame behind the final fragment comes after the message.
        if isFinal { events.append(isText ? .text(payload) : .binary(payload)) }
        events.append(isPing ? .ping(ping) : .pong(ping))
        if isFinal { return }
      } else if isFinal {
        events.append(isText ? .text(payload) : .binary(payload))
        return
      }
      start = end
      isFirst = false
    } while true
  }

  private func text(_ size: Int, _ random: inout SeededRandom) -> [UInt8] {
    var text = ""
    while text.utf8.count < size {
      guard let scalar = Unicode.Scalar(UInt32(random.below(1 << (7 + random.below(14))))) else { continue }
      text.unicodeScalars.append(scalar)
    }
    return Array(text.utf8)
  }

  private func frame(
    _ opcode: Opcode, _ isFinal: Bool, _ payload: [UInt8], _ random: inout SeededRandom, _ role: WebSocketRole
  ) -> [UInt8] {
    let key = role == .server ? UInt32(truncatingIfNeeded: random.next()) : nil
    var buffer = [UInt8](
      repeating: 0, count: FrameEncoder.encodedCount(payloadCount: payload.count, masked: key != nil))
    let count = buffer.withUnsafeMutableBytes { buffer in
      payload.withUnsafeBytes {
        FrameEncoder.encode(opcode: opcode, isFinal: isFinal, payload: $0, maskingKey: key, into: buffer)
      }
    }
    return Array(buffer[..<count])
  }

  /// Whatever comes, the decoder goes on or refuses; and it does the same in one piece and byte by byte.
  @Test(arguments: [WebSocketRole.server, .client]) func randomBytesNeverTrap(_ role: WebSocketRole) {
    var random = SeededRandom(seed: 21)
    let limits = WebSocketLimits(maximumMessageBytes: 64, maximumFragmentCount: 3)
    for round in 0..<50_000 {
      let stream = noise(&random, role)
      let delivery: MessageDelivery = round & 1 == 0 ? .whole : .fragments
      let whole = Decoded(stream, role: role, limits: limits, delivery: delivery)
      guard round % 4 < 2 else { continue }
      let bytewise = Decoded(stream, pieces: [1], role: role, limits: limits, delivery: delivery)
      if whole != bytewise { Issue.record("round \(round): \(stream)") }
    }
  }

  /// Bytes that are likely enough to be frames that their inside is reached.
  private func noise(_ random: inout SeededRandom, _ role: WebSocketRole) -> [UInt8] {
    var stream: [UInt8] = []
    for _ in 0...random.below(4) {
      if random.below(3) > 0 {
        stream.append(([0x80, 0x00] as [UInt8])[random.below(2)] | UInt8(random.below(3)))
      } else {
        stream.append(UInt8(truncatingIfNeeded: random.next()))
      }
      let length = random.below(4) == 0 ? UInt8(random.below(128)) : UInt8(random.below(8))
      stream.append(length | (role == .server ? 0x80 : 0))
      stream += random.bytes(random.below(14))
    }
    return stream
  }
}
