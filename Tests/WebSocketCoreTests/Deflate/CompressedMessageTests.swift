import TestRandomness
import Testing

@testable import WebSocketCore

/// RFC 7692 §6 and §7.2.2: what a decoder makes of compressed messages.
@Suite struct CompressedMessageTests {
  private static let noContext = DeflateAgreement(sendsWithContext: false, receivesWithContext: false)
  private static let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]

  private static func expect(
    _ stream: [UInt8], _ events: [Decoded.Event], violation: ProtocolViolation? = nil,
    limits: WebSocketLimits = WebSocketLimits(), agreement: DeflateAgreement = DeflateAgreement(),
    deliveries: [MessageDelivery] = [.whole, .fragments], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for delivery in deliveries {
      for pieces in [[Int.max], [1], [2, 3], [7]] {
        let decoded = Decoded(
          stream, pieces: pieces, limits: limits, delivery: delivery, compression: agreement)
        #expect(decoded.events == events, "\(delivery) \(pieces)", sourceLocation: sourceLocation)
        #expect(decoded.violation == violation, "\(delivery) \(pieces)", sourceLocation: sourceLocation)
      }
    }
  }

  private static func deflated(_ message: [UInt8]) -> [UInt8] {
    // With context, so that it is compressed even where it becomes larger.
    let options = DeflateOptions(level: 9, minimumBytes: 0)
    let compression = CompressionPool().compression(DeflateAgreement(), options)
    return message.withUnsafeBytes { compression.compress($0) { Array($0) } } ?? []
  }

  // MARK: The examples of RFC 7692 §7.2.3

  @Test func oneMessage() {
    Self.expect(Wire.masked(0xC1, Self.hello), [.text("Hello")])
  }

  @Test func inTwoFragments() {
    let stream = Wire.masked(0x41, Array(Self.hello[..<3])) + Wire.masked(0x80, Array(Self.hello[3...]))
    Self.expect(stream, [.text("Hello")])
  }

  @Test func withTheWindowOfTheMessageBefore() {
    let second: [UInt8] = [0xF2, 0x00, 0x11, 0x00, 0x00]
    Self.expect(Wire.masked(0xC1, Self.hello) + Wire.masked(0xC1, second), [.text("Hello"), .text("Hello")])
    // Without context there is nothing to refer to.
    Self.expect(
      Wire.masked(0xC1, Self.hello) + Wire.masked(0xC1, second), [.text("Hello")], violation: .badDeflate,
      agreement: Self.noContext)
  }

  @Test func aBlockWithoutCompression() {
    let block: [UInt8] = [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00]
    Self.expect(Wire.masked(0xC1, block), [.text("Hello")])
  }

  @Test func aFinalBlock() {
    let final: [UInt8] = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]
    Self.expect(Wire.masked(0xC1, final), [.text("Hello")])
    // The window outlives it.
    let second: [UInt8] = [0xF2, 0x00, 0x11, 0x00, 0x00]
    Self.expect(Wire.masked(0xC1, final) + Wire.masked(0xC1, second), [.text("Hello"), .text("Hello")])
  }

  @Test func twoBlocks() {
    let blocks: [UInt8] = [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00]
    Self.expect(Wire.masked(0xC1, blocks), [.text("Hello")])
  }

  @Test func anEmptyMessage() {
    Self.expect(Wire.masked(0xC1, [0x00]), [.text("")])
    Self.expect(Wire.masked(0xC2, [0x02, 0x00]), [.binary([])])
    // §7.2.3.6: an empty final fragment.
    let stream =
      Wire.masked(0x41, Self.hello + [0x00, 0x00, 0xFF, 0xFF]) + Wire.masked(0x00) + Wire.masked(0x80, [0x00])
    Self.expect(stream, [.text("Hello")])
  }

  @Test func compressedAndOtherMessagesMix() {
    let stream =
      Wire.masked(0xC1, Self.hello) + Wire.masked(0x81, "plain") + Wire.masked(0x89, "!")
      + Wire.masked(0x41, Array(Self.hello[..<2])) + Wire.masked(0x8A, "?")
      + Wire.masked(0x80, Array(Self.hello[2...])) + Wire.masked(0xC2, Self.hello)
    Self.expect(
      stream,
      [
        .text("Hello"), .text("plain"), .ping([33]), .pong([63]), .text("Hello"),
        .binary(Array("Hello".utf8)),
      ], agreement: Self.noContext)
  }

  // MARK: What a peer may not do

  /// §6: "An endpoint MUST NOT set the … bit of control frames and non-first fragments".
  @Test func theBitWhereItMayNotBe() {
    Self.expect(Wire.masked(0xC9, "x"), [], violation: .reservedBit)
    Self.expect(Wire.masked(0xC8), [], violation: .reservedBit)
    Self.expect(
      Wire.masked(0x41, Array(Self.hello[..<3])) + Wire.masked(0xC0, Array(Self.hello[3...])), [],
      violation: .reservedBit, deliveries: [.whole])
    Self.expect(Wire.masked(0x01, "a") + Wire.masked(0xC0, Self.hello), [], violation: .reservedBit)
    Self.expect(Wire.masked(0xA1, "a"), [], violation: .reservedBit)
    Self.expect(Wire.masked(0x91, "a"), [], violation: .reservedBit)
  }

  @Test func theBitThatWasNotNegotiated() {
    #expect(Decoded(Wire.masked(0xC1, Self.hello)).violation == .reservedBit)
  }

  @Test(
    arguments: [
      [0xFF, 0xFF], [0x06, 0x00], [0x00, 0x05, 0x00, 0xFA, 0xFE, 0x48], [],
      // A stored block that swallows the tail.
      [0x00, 0x09, 0x00, 0xF6, 0xFF, 0x48],
      // A block that has not ended.
      [0xF2, 0x48, 0xCD],
    ] as [[UInt8]])
  func dataThatIsNotDeflate(_ payload: [UInt8]) {
    for delivery in [MessageDelivery.whole, .fragments] {
      let decoded = Decoded(Wire.masked(0xC2, payload), delivery: delivery, compression: Self.noContext)
      #expect(decoded.violation == .badDeflate)
      #expect(decoded.violation?.closeCode == .invalidPayload)
    }
  }

  @Test func textThatIsNotUTF8() {
    Self.expect(
      Wire.masked(0xC1, Self.deflated([0x61, 0xFF])), [], violation: .badText, deliveries: [.whole])
    // Ends inside a character.
    Self.expect(Wire.masked(0xC1, Self.deflated([0x61, 0xC3])), [], violation: .badText)
    Self.expect(Wire.masked(0xC1, Self.deflated(Array("aä€😀".utf8))), [.text("aä€😀")])
  }

  // MARK: Limits

  @Test func theLimitIsOnWhatComesOut() {
    let limits = WebSocketLimits(maximumMessageBytes: 10_000)
    for (count, isAllowed) in [(9_999, true), (10_000, true), (10_001, false), (50_000, false)] {
      let message = [UInt8](repeating: 0x61, count: count)
      Self.expect(
        Wire.masked(0xC2, Self.deflated(message)), isAllowed ? [.binary(message)] : [],
        violation: isAllowed ? nil : .messageTooBig, limits: limits, agreement: Self.noContext,
        deliveries: [.whole])
    }
    Self.expect(
      Wire.masked(0xC2, Self.deflated([1])), [], violation: .messageTooBig,
      limits: WebSocketLimits(maximumMessageBytes: 0), deliveries: [.whole])
    Self.expect(
      Wire.masked(0xC2, [0x00]), [.binary([])], limits: WebSocketLimits(maximumMessageBytes: 0),
      deliveries: [.whole])
  }

  /// What goes on without ever giving anything, too.
  @Test func emptyBlocksWithoutEnd() {
    let limits = WebSocketLimits(maximumMessageBytes: 100, maximumFragmentCount: 1_000_000)
    let empty = (0..<2_000).flatMap { _ in [UInt8](arrayLiteral: 0, 0, 0, 0xFF, 0xFF) }
    let frames = Wire.masked(0x42, empty) + Wire.masked(0x00, empty)
    let decoded = Decoded(frames, limits: limits, compression: Self.noContext)
    #expect(decoded.violation == .messageTooBig)
  }

  /// 1 GiB of zeros, as a megabyte: costs the limit.
  @Test func aBombCostsTheLimit() throws {
    let bomb = Self.deflated([UInt8](repeating: 0, count: 64 << 20))
    #expect(bomb.count < 70_000)
    var frame = Wire.masked(0xC2, bomb)
    let compression = CompressionPool().compression(Self.noContext, .standard)
    var decoder = MessageDecoder(
      role: .server, limits: WebSocketLimits(maximumMessageBytes: 1 << 20), compression: compression)
    #expect(throws: ProtocolViolation.messageTooBig) {
      try frame.withUnsafeMutableBytes {
        var input = $0
        _ = try decoder.next(&input)
      }
    }
    let capacity = try #require(decoder.partial?.payloadCapacity)
    #expect(capacity <= 1 << 20)
  }

  /// In fragments a bomb has no limit, and each of them is small: who stops asking has all the rest in the input.
  @Test func aBombInFragmentsWaitsInTheInput() throws {
    let size = 8 << 20
    var frame = Wire.masked(0xC2, Self.deflated([UInt8](repeating: 0x61, count: size)))
    let compression = CompressionPool().compression(Self.noContext, .standard)
    var decoder = MessageDecoder(role: .server, delivery: .fragments, compression: compression)
    var total = 0
    var ended = false
    var held: [UInt8] = []
    // Each call gets what the one before has left, copied elsewhere.
    while !ended {
      var input = frame
      try input.withUnsafeMutableBytes { bytes in
        var rest = bytes
        guard case .fragment(.binary, let piece, let isFirst, let isFinal)? = try decoder.next(&rest) else {
          Issue.record("no fragment")
          ended = true
          return
        }
        #expect(isFirst == (total == 0) && piece.count <= 65_536)
        #expect(piece.allSatisfy { $0 == 0x61 })
        total += piece.count
        ended = isFinal
        held = Array(rest)
      }
      frame = held
      #expect(ended || !frame.isEmpty || decoder.hasPendingOutput)
    }
    #expect(total == size && frame.isEmpty && !decoder.hasPendingOutput && decoder.isIdle)
  }

  /// Decompressors and what is put together go back to the loop's pool, also in the middle of much traffic.
  @Test func manyConnectionsShareAPool() throws {
    let pool = CompressionPool()
    var random = SeededRandom(seed: 11)
    var messages: [[UInt8]] = []
    let decoders = (0..<50).map { _ in
      DecoderBox(MessageDecoder(role: .client, compression: pool.compression(Self.noContext, .standard)))
    }
    for round in 0..<200 {
      let message = (0..<Int.random(in: 0...3_000, using: &random)).map { _ in
        UInt8.random(in: 0x61...0x64, using: &random)
      }
      messages.append(message)
      let frame = Wire.frame(0xC1, Self.deflated(message))
      let decoder = decoders[round % decoders.count]
      // Half of it now, half of it after others have had theirs.
      decoder.pending += frame
      decoder.expected.append(message)
      for other in decoders { try other.feed(Int.random(in: 0...400, using: &random)) }
    }
    for decoder in decoders { try decoder.feed(.max) }
    #expect(decoders.allSatisfy { $0.expected == $0.received })
  }
}

private final class DecoderBox {
  var decoder: MessageDecoder
  var pending: [UInt8] = []
  var expected: [[UInt8]] = []
  var received: [[UInt8]] = []

  init(_ decoder: consuming MessageDecoder) { self.decoder = decoder }

  func feed(_ count: Int) throws {
    var piece = Array(pending.prefix(count))
    pending.removeFirst(piece.count)
    try piece.withUnsafeMutableBytes {
      var input = $0
      while let event = try decoder.next(&input) {
        if case .message(.text, let bytes) = event { received.append(Array(bytes)) }
      }
    }
  }
}
