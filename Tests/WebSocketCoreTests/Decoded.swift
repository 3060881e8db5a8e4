import Testing

@testable import WebSocketCore

/// What a decoder made of a stream.
struct Decoded: Equatable {
  enum Event: Equatable {
    case text([UInt8])
    case binary([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case close(UInt16?, [UInt8])

    static func text(_ text: String) -> Event { .text(Array(text.utf8)) }
  }

  /// Events in order; the pieces of a message are joined.
  var events: [Event] = []
  var violation: ProtocolViolation?
  /// How many bytes the decoder had been given when it stopped or had all.
  var fed = 0
  var isIdle = true
  /// Pieces of a message that is not complete.
  private var open: (kind: MessageKind, bytes: [UInt8])?

  static func == (a: Decoded, b: Decoded) -> Bool {
    a.events == b.events && a.violation == b.violation && a.isIdle == b.isIdle
  }

  /// Decodes a stream that comes in pieces of the given sizes, which are used in turn.
  init(
    _ stream: [UInt8], pieces: [Int] = [.max], role: WebSocketRole = .server,
    limits: WebSocketLimits = WebSocketLimits(), delivery: MessageDelivery = .whole,
    compression: DeflateAgreement? = nil
  ) {
    var decoder = MessageDecoder(
      role: role, limits: limits, delivery: delivery,
      compression: compression.map { CompressionPool().compression($0, .standard) })
    var turn = 0
    while fed < stream.count, violation == nil {
      let count = min(pieces[turn % pieces.count], stream.count - fed)
      turn += 1
      var piece = Array(stream[fed..<(fed + count)])
      fed += count
      piece.withUnsafeMutableBytes { buffer in
        var input = buffer
        do throws(ProtocolViolation) {
          while let event = try decoder.next(&input) { take(event) }
          if !input.isEmpty { Issue.record("\(input.count) bytes were left") }
        } catch { violation = error }
      }
    }
    // After a violation a decoder is not to be used.
    if violation == nil { isIdle = decoder.isIdle }
  }

  private mutating func take(_ event: WebSocketEvent) {
    switch event {
    case .message(let kind, let bytes): events.append(Self.message(kind, Array(bytes)))
    case .fragment(let kind, let bytes, let isFirst, let isFinal):
      if isFirst != (open == nil) { Issue.record("isFirst is wrong") }
      if let open, open.kind != kind { Issue.record("the kind changed") }
      let joined = (open?.bytes ?? []) + bytes
      open = isFinal ? nil : (kind, joined)
      if isFinal { events.append(Self.message(kind, joined)) }
    case .ping(let bytes): events.append(.ping(Array(bytes)))
    case .pong(let bytes): events.append(.pong(Array(bytes)))
    case .close(let code, let reason): events.append(.close(code?.rawValue, Array(reason)))
    }
  }

  private static func message(_ kind: MessageKind, _ bytes: [UInt8]) -> Event {
    kind == .text ? .text(bytes) : .binary(bytes)
  }
}
