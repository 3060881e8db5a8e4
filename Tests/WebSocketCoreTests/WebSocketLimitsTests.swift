import Testing

@testable import WebSocketCore

@Suite struct WebSocketLimitsTests {
  private let limits = WebSocketLimits(maximumMessageBytes: 300, maximumFragmentCount: 4)

  private func decode(_ frames: [[UInt8]], pieces: [Int] = [.max], delivery: MessageDelivery = .whole)
    -> Decoded
  {
    Decoded(frames.flatMap { $0 }, pieces: pieces, role: .client, limits: limits, delivery: delivery)
  }

  private func payload(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: count) }

  @Test func defaults() {
    #expect(WebSocketLimits().maximumMessageBytes == 1_048_576)
    #expect(WebSocketLimits().maximumFragmentCount == 1_024)
    #expect(WebSocketLimits(maximumMessageBytes: -1).maximumMessageBytes == 0)
    #expect(WebSocketLimits(maximumFragmentCount: 0).maximumFragmentCount == 1)
  }

  @Test(arguments: [299, 300, 301]) func messageInOneFrame(_ count: Int) {
    for pieces in [[Int.max], [1]] {
      let decoded = decode([Wire.frame(0x81, payload(count))], pieces: pieces)
      #expect(decoded.events == (count <= 300 ? [.text(payload(count))] : []))
      #expect(decoded.violation == (count <= 300 ? nil : .messageTooBig))
    }
  }

  /// The size is known from the header: no byte of the payload is waited for.
  @Test func tooBigIsFoundInTheHeader() {
    let header: [UInt8] = [0x82, 127, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF]
    #expect(Decoded(header, pieces: [1], role: .client).violation == .messageTooBig)
    #expect(Decoded(header, pieces: [1], role: .client, delivery: .fragments).violation == nil)
  }

  @Test(arguments: [99, 100, 101]) func messageInFragments(_ last: Int) {
    let frames = [
      Wire.frame(0x01, payload(100)), Wire.frame(0x89, payload(125)), Wire.frame(0x00, payload(100)),
      Wire.frame(0x80, payload(last)),
    ]
    for pieces in [[Int.max], [1], [7]] {
      let decoded = decode(frames, pieces: pieces)
      #expect(decoded.violation == (last <= 100 ? nil : .messageTooBig))
      #expect(decoded.events.count == (last <= 100 ? 2 : 1))
    }
  }

  /// Lengths whose sum does not fit 64 bits are no way around the limit.
  @Test func sumsDoNotWrap() {
    let huge: [UInt8] = [0x00, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255]
    #expect(decode([Wire.frame(0x01, payload(1)), huge]).violation == .messageTooBig)
    var open = WebSocketLimits()
    open.maximumMessageBytes = .max
    let stream = Wire.frame(0x02, payload(1)) + huge
    #expect(Decoded(stream, role: .client, limits: open).violation == .messageTooBig)
  }

  @Test(arguments: [3, 4, 5]) func fragmentCount(_ count: Int) {
    var frames = [Wire.frame(0x02, [1])]
    for _ in 1..<(count - 1) { frames += [Wire.frame(0x00, []), Wire.frame(0x89, [])] }
    frames.append(Wire.frame(0x80, [2]))
    for pieces in [[Int.max], [1]] {
      let decoded = decode(frames, pieces: pieces)
      #expect(decoded.violation == (count <= 4 ? nil : .tooManyFragments))
      #expect(decoded.events.contains(.binary([1, 2])) == (count <= 4))
    }
    #expect(decode(frames, delivery: .fragments).violation == nil)
  }

  /// Limits are for each message, not for the connection.
  @Test func limitsStartAnewWithEachMessage() {
    let message = [Wire.frame(0x02, payload(150)), Wire.frame(0x00, []), Wire.frame(0x80, payload(150))]
    for pieces in [[Int.max], [1], [100]] {
      let decoded = decode(message + message + message, pieces: pieces)
      #expect(decoded.violation == nil && decoded.events.count == 3)
    }
  }

  @Test func piecesHaveNoLimit() {
    let decoded = decode([Wire.frame(0x82, payload(70_000))], pieces: [1_000], delivery: .fragments)
    #expect(decoded.events == [.binary(payload(70_000))] && decoded.violation == nil)
  }
}
