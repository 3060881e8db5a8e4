import Testing

@testable import WebSocketCore

@Suite struct ProtocolViolationTests {
  struct Case: CustomTestStringConvertible {
    let testDescription: String
    let role: WebSocketRole
    let stream: [UInt8]
    let violation: ProtocolViolation
    /// The byte, counted from 1, at which it must be found; nil is the last one.
    var foundAt: Int?

    init(
      _ description: String, _ role: WebSocketRole, _ stream: [UInt8], _ violation: ProtocolViolation,
      foundAt: Int? = nil
    ) {
      testDescription = description
      self.role = role
      self.stream = stream
      self.violation = violation
      self.foundAt = foundAt
    }
  }

  private static let headers: [Case] = [
    Case("unmasked text to a server", .server, [0x81, 0x01, 0x61], .unmasked, foundAt: 2),
    Case("unmasked empty text to a server", .server, [0x81, 0x00], .unmasked),
    Case("unmasked close to a server", .server, [0x88, 0x00], .unmasked),
    Case("unmasked ping to a server", .server, [0x89, 0x00], .unmasked),
    Case("unmasked long frame to a server", .server, [0x82, 126, 0, 126], .unmasked, foundAt: 2),
    Case("masked text to a client", .client, Wire.masked(0x81, "a"), .masked, foundAt: 2),
    Case("masked close to a client", .client, Wire.masked(0x88), .masked, foundAt: 2),
    Case("masked pong to a client", .client, Wire.masked(0x8A), .masked, foundAt: 2),
    Case("RSV1 on text", .server, Wire.masked(0xC1, "a"), .reservedBit, foundAt: 1),
    Case("RSV2 on text", .server, Wire.masked(0xA1, "a"), .reservedBit, foundAt: 1),
    Case("RSV3 on text", .server, Wire.masked(0x91, "a"), .reservedBit, foundAt: 1),
    Case("RSV1 on ping", .server, Wire.masked(0xC9), .reservedBit, foundAt: 1),
    Case("RSV2 on close", .client, [0xA8, 0x00], .reservedBit, foundAt: 1),
    Case("RSV3 on continuation", .client, [0x90, 0x00], .reservedBit, foundAt: 1),
    Case("all RSV bits", .client, [0xF2, 0x00], .reservedBit, foundAt: 1),
    Case("fragmented close", .client, [0x08, 0x00], .fragmentedControl, foundAt: 1),
    Case("fragmented ping", .client, [0x09, 0x00], .fragmentedControl, foundAt: 1),
    Case("fragmented pong", .server, Wire.masked(0x0A), .fragmentedControl, foundAt: 1),
    Case("ping of 126 bytes", .client, [0x89, 126, 0, 126], .longControl, foundAt: 2),
    Case("pong of 64-bit length", .client, [0x8A, 127], .longControl),
    Case("close of 126 bytes", .server, [0x88, 0xFE], .longControl),
    Case("length 0 in 16 bits", .client, [0x82, 126, 0, 0], .lengthNotMinimal),
    Case("length 125 in 16 bits", .client, [0x82, 126, 0, 125], .lengthNotMinimal),
    Case("length 0 in 64 bits", .client, [0x82, 127, 0, 0, 0, 0, 0, 0, 0, 0], .lengthNotMinimal),
    Case("length 125 in 64 bits", .client, [0x82, 127, 0, 0, 0, 0, 0, 0, 0, 125], .lengthNotMinimal),
    Case("length 126 in 64 bits", .client, [0x82, 127, 0, 0, 0, 0, 0, 0, 0, 126], .lengthNotMinimal),
    Case("length 65535 in 64 bits", .client, [0x82, 127, 0, 0, 0, 0, 0, 0, 255, 255], .lengthNotMinimal),
    Case(
      "masked length 125 in 16 bits", .server, [0x82, 0xFE, 0, 125, 1, 2, 3, 4], .lengthNotMinimal,
      foundAt: 4),
    Case("length 2^63", .client, [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], .lengthTooLarge, foundAt: 3),
    Case(
      "length 2^64-1", .client, [0x82, 127] + [UInt8](repeating: 255, count: 8), .lengthTooLarge, foundAt: 3),
    Case(
      "masked length 2^64-1", .server, [0x81, 255] + [UInt8](repeating: 255, count: 12), .lengthTooLarge,
      foundAt: 3),
    Case(
      "length 2^63-1", .client, [0x82, 127, 0x7F] + [UInt8](repeating: 255, count: 7), .messageTooBig),
  ]

  private static let opcodes: [Case] = [3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF].flatMap { opcode in
    [
      Case("opcode \(opcode)", .server, Wire.masked(0x80 | opcode), .reservedOpcode, foundAt: 1),
      Case("opcode \(opcode), not final", .client, [opcode, 0x00], .reservedOpcode, foundAt: 1),
    ]
  }

  private static let sequences: [Case] = [
    Case("continuation at the start", .client, [0x80, 0x00], .strayContinuation),
    Case("continuation at the start, not final", .client, [0x00, 0x00], .strayContinuation),
    Case(
      "continuation behind a whole message", .client, [0x81, 0x01, 0x61, 0x80, 0x00], .strayContinuation),
    Case(
      "continuation behind a fragmented message", .client, [0x01, 0x00, 0x80, 0x00, 0x80, 0x00],
      .strayContinuation),
    Case("continuation behind a ping", .client, [0x89, 0x00, 0x80, 0x00], .strayContinuation),
    Case("text inside a text", .client, [0x01, 0x01, 0x61, 0x81, 0x00], .interruptedMessage),
    Case("binary inside a text", .client, [0x01, 0x01, 0x61, 0x02, 0x00], .interruptedMessage),
    Case("text inside a binary", .client, [0x02, 0x00, 0x89, 0x00, 0x81, 0x00], .interruptedMessage),
  ]

  private static let closes: [Case] =
    [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 65_535].map {
      Case("close code \($0)", .server, Wire.masked(0x88, Wire.close($0)), .badCloseCode)
    } + [
      Case("close of one byte", .client, [0x88, 0x01, 0x03], .shortClose),
      Case("close with reason and bad code", .client, [0x88, 3, 0x03, 0xED, 0x61], .badCloseCode),
      Case(
        "close reason not UTF-8", .client, Wire.frame(0x88, Wire.close(1000, [0xFF])), .badCloseReason),
      Case(
        "close reason cut short", .client, Wire.frame(0x88, Wire.close(1000, [0x61, 0xE2, 0x82])),
        .badCloseReason),
      Case(
        "close reason with surrogate", .client, Wire.frame(0x88, Wire.close(1000, [0xED, 0xA0, 0x80])),
        .badCloseReason),
    ]

  static let cases = headers + opcodes + sequences + closes

  @Test(arguments: cases) func isFound(_ test: Case) {
    for delivery in [MessageDelivery.whole, .fragments] {
      // The limit on size is for whole messages.
      if test.violation == .messageTooBig, delivery == .fragments { continue }
      for pieces in [[Int.max], [1], [2], [3], [1, .max]] {
        let decoded = Decoded(test.stream, pieces: pieces, role: test.role, delivery: delivery)
        #expect(decoded.violation == test.violation, "\(delivery), in pieces of \(pieces)")
        guard pieces == [1] else { continue }
        #expect(decoded.fed == test.foundAt ?? test.stream.count)
      }
    }
  }

  @Test func closeCodes() {
    let protocolErrors: [ProtocolViolation] = [
      .reservedBit, .reservedOpcode, .unmasked, .masked, .fragmentedControl, .longControl, .lengthNotMinimal,
      .lengthTooLarge, .strayContinuation, .interruptedMessage, .shortClose, .badCloseCode,
    ]
    for violation in protocolErrors { #expect(violation.closeCode == .protocolError) }
    #expect(ProtocolViolation.badText.closeCode == .invalidPayload)
    #expect(ProtocolViolation.badCloseReason.closeCode == .invalidPayload)
    #expect(ProtocolViolation.messageTooBig.closeCode == .messageTooBig)
    #expect(ProtocolViolation.tooManyFragments.closeCode == .policyViolation)
    for violation in protocolErrors + [.badText, .badCloseReason, .messageTooBig, .tooManyFragments] {
      #expect((1...123).contains(violation.description.utf8.count))
    }
  }

  /// What came before a violation is delivered all the same.
  @Test func eventsBeforeAViolationAreDelivered() {
    let stream = Wire.masked(0x81, "a") + Wire.masked(0x89, "b") + [0x83]
    let decoded = Decoded(stream)
    #expect(decoded.events == [.text("a"), .ping([0x62])] && decoded.violation == .reservedOpcode)
  }

  /// Close codes that a peer may send, at both ends of each range.
  @Test(arguments: [
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
  ])
  func acceptedCloseCodes(_ code: UInt16) {
    #expect(Decoded(Wire.masked(0x88, Wire.close(code))).events == [.close(code, [])])
  }

  @Test func closeWithoutCodeAndWithLongestReason() {
    #expect(Decoded(Wire.masked(0x88)).events == [.close(nil, [])])
    let reason = [UInt8](repeating: 0x7A, count: 123)
    #expect(Decoded(Wire.masked(0x88, Wire.close(1001, reason))).events == [.close(1001, reason)])
  }
}
