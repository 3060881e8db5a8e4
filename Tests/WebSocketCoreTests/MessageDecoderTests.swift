import Testing

@testable import WebSocketCore

@Suite struct MessageDecoderTests {
  /// The examples of RFC 6455 §5.7 as they are printed there.
  @Test func examplesOfTheRFC() {
    let hello: [UInt8] = [0x48, 0x65, 0x6C, 0x6C, 0x6F]
    expect([0x81, 0x05] + hello, .client, [.text("Hello")])
    expect([0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58], .server, [.text("Hello")])
    expect([0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F], .client, [.text("Hello")])
    expect([0x89, 0x05] + hello, .client, [.ping(hello)])
    expect([0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58], .server, [.pong(hello)])
    let short = [UInt8](repeating: 0xA5, count: 256)
    expect([0x82, 0x7E, 0x01, 0x00] + short, .client, [.binary(short)])
    let long = [UInt8](repeating: 0x5A, count: 65_536)
    let header: [UInt8] = [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]
    expect(header + long, .client, [.binary(long)], pieces: [[.max], [1], [14, 4_096]])
  }

  private func expect(
    _ stream: [UInt8], _ role: WebSocketRole, _ events: [Decoded.Event],
    pieces: [[Int]] = [[.max], [1], [2], [3]], source: SourceLocation = #_sourceLocation
  ) {
    for pieces in pieces {
      let decoded = Decoded(stream, pieces: pieces, role: role)
      #expect(decoded.violation == nil, sourceLocation: source)
      #expect(decoded.events == events, "in pieces of \(pieces)", sourceLocation: source)
      #expect(decoded.isIdle, sourceLocation: source)
    }
  }

  @Test(arguments: [0, 1, 2, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537], [true, false])
  func boundaryLengths(_ count: Int, _ isMasked: Bool) {
    let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
    let stream = Wire.frame(0x82, payload, key: isMasked ? Wire.key : nil)
    for delivery in [MessageDelivery.whole, .fragments] {
      for pieces in [[.max], [1, .max], [2, .max], [7, .max], [15, 1_000]] {
        let decoded = Decoded(
          stream, pieces: pieces, role: isMasked ? .server : .client, delivery: delivery)
        #expect(decoded.events == [.binary(payload)] && decoded.violation == nil)
        #expect(decoded.isIdle)
      }
    }
  }

  /// A stream with every kind of frame, and what it says.
  static let stream =
    Wire.masked(0x81, "Grüße, 世界 😀") + Wire.masked(0x89, "ask") + Wire.masked(0x02, [1, 2, 3])
    + Wire.masked(0x8A, "") + Wire.masked(0x00, "") + Wire.masked(0x89, "mid") + Wire.masked(0x80, [4])
    + Wire.masked(0x01, [0xF0, 0x9F]) + Wire.masked(0x00, [0x98]) + Wire.masked(0x80, [0x80])
    + Wire.masked(0x82, [UInt8](repeating: 9, count: 130)) + Wire.masked(0x81, "") + Wire.masked(0x82, "")
    + Wire.masked(0x01, "") + Wire.masked(0x80, "") + Wire.masked(0x8A, [UInt8](repeating: 8, count: 125))
    + Wire.masked(0x88, Wire.close(1000, Array("bye ☃".utf8)))

  static let events: [Decoded.Event] = [
    .text("Grüße, 世界 😀"), .ping(Array("ask".utf8)), .pong([]), .ping(Array("mid".utf8)),
    .binary([1, 2, 3, 4]), .text("😀"), .binary([UInt8](repeating: 9, count: 130)), .text(""), .binary([]),
    .text(""), .pong([UInt8](repeating: 8, count: 125)), .close(1000, Array("bye ☃".utf8)),
  ]

  @Test(arguments: [MessageDelivery.whole, .fragments])
  func everySplitGivesTheSameEvents(_ delivery: MessageDelivery) {
    let stream = Self.stream
    for cut in 0...stream.count {
      let decoded = Decoded(stream, pieces: [cut, stream.count], delivery: delivery)
      #expect(decoded.events == Self.events && decoded.violation == nil && decoded.isIdle, "cut at \(cut)")
    }
    for size in 1...40 {
      let decoded = Decoded(stream, pieces: [size], delivery: delivery)
      #expect(decoded.events == Self.events && decoded.violation == nil && decoded.isIdle, "size \(size)")
    }
  }

  /// Three pieces: every pair of cuts in a short stream.
  @Test func everyPairOfSplitsGivesTheSameEvents() {
    let stream = Wire.masked(0x01, "aä") + Wire.masked(0x89, "p") + Wire.masked(0x80, "€")
    for first in 0...stream.count {
      for second in 0...(stream.count - first) {
        let decoded = Decoded(stream, pieces: [first, second, stream.count])
        if decoded.events != [.ping([0x70]), .text("aä€")] { Issue.record("cut at \(first) and \(second)") }
      }
    }
  }

  @Test func isIdleOnlyBetweenMessages() {
    #expect(Decoded([]).isIdle)
    for count in 1..<11 { #expect(!Decoded(Array(Wire.masked(0x81, "Hello").prefix(count))).isIdle) }
    #expect(!Decoded(Wire.masked(0x01, "Hello")).isIdle)
    #expect(!Decoded(Wire.masked(0x01, "Hello") + Wire.masked(0x89, "")).isIdle)
    #expect(!Decoded(Wire.masked(0x01, "Hello"), delivery: .fragments).isIdle)
    #expect(Decoded(Wire.masked(0x81, "Hello"), pieces: [3]).isIdle)
    #expect(Decoded(Wire.masked(0x89, "Hello"), pieces: [3]).isIdle)
  }

  /// A whole message is lent from the input, not copied.
  @Test func wholeMessagesLieInTheInput() throws {
    var decoder = MessageDecoder(role: .server)
    var bytes = Wire.masked(0x81, "Hello") + [0x82]
    try bytes.withUnsafeMutableBytes { buffer in
      var input = buffer
      guard case .message(.text, let payload)? = try decoder.next(&input) else {
        Issue.record("no message")
        return
      }
      let start = try #require(buffer.baseAddress)
      #expect(payload.baseAddress == UnsafeRawPointer(start) + 6)
      #expect(input.count == 1 && input[0] == 0x82)
    }
  }

  /// In pieces, bytes are handed on as they come, and empty pieces only to say that a message ends.
  @Test func fragmentsFollowTheBytes() throws {
    var decoder = MessageDecoder(role: .client, delivery: .fragments)
    let inputs: [[UInt8]] = [[0x02, 0x03, 1], [2, 3], [0x00, 0x00], [0x80], [0x00], [0x81, 0x01, 0x61]]
    var log: [String] = []
    for var bytes in inputs {
      try bytes.withUnsafeMutableBytes { buffer in
        var input = buffer
        while case .fragment(let kind, let piece, let isFirst, let isFinal)? = try decoder.next(&input) {
          log.append("\(kind) \(Array(piece))\(isFirst ? " first" : "")\(isFinal ? " final" : "")")
        }
      }
    }
    #expect(
      log == ["binary [1] first", "binary [2, 3]", "binary [] final", "text [97] first final"])
  }

  /// What an idle connection pays for.
  @Test func isSmall() { #expect(MemoryLayout<MessageDecoder>.size <= 64) }
}
