@testable import WebSocketCore

let messageTargets = [
  FuzzTarget("messages-server") { try checkMessages(Pieces($0), .server) },
  FuzzTarget("messages-client") { try checkMessages(Pieces($0), .client) },
]

private let limits = WebSocketLimits(maximumMessageBytes: 1_024, maximumFragmentCount: 6)

/// A stream gives the same events whole and in pieces, as messages and as fragments, and again when its events are
/// written anew.
private func checkMessages(_ input: Pieces, _ role: WebSocketRole) throws {
  let whole = try DecodedMessages([input.stream[...]], role, .whole)
  let cut = try DecodedMessages(input.cut, role, .whole)
  try equal(cut, whole, "in pieces and whole")
  try checkFragments(try DecodedMessages(input.cut, role, .fragments), whole)
  guard whole.violation == nil, whole.isIdle else { return }
  let again = try DecodedMessages([frames(of: whole.events, role)[...]], role, .whole)
  try equal(again.events, whole.events, "events written anew")
}

private func checkFragments(_ fragments: DecodedMessages, _ whole: DecodedMessages) throws {
  guard let violation = whole.violation, violation != fragments.violation else {
    return try equal(fragments, whole, "fragments and messages")
  }
  // The limits are those of messages that are put together; pieces of any number are passed on.
  try hold([.messageTooBig, .policyViolation].contains(violation.closeCode), "only limits differ")
  try hold(fragments.events.starts(with: whole.events), "fragments and messages up to the limit")
}

private func frames(of events: [DecodedMessages.Event], _ role: WebSocketRole) -> [UInt8] {
  var stream: [UInt8] = []
  for event in events {
    let (opcode, payload) = event.frame
    let key = role == .server ? UInt32(truncatingIfNeeded: payload.count &* 0x9E37_79B9) : nil
    var frame = [UInt8](
      repeating: 0, count: FrameEncoder.encodedCount(payloadCount: payload.count, masked: key != nil))
    frame.withUnsafeMutableBytes { buffer in
      payload.withUnsafeBytes {
        _ = FrameEncoder.encode(opcode: opcode, payload: $0, maskingKey: key, into: buffer)
      }
    }
    stream += frame
  }
  return stream
}

/// What a decoder made of a stream.
private struct DecodedMessages: Equatable {
  enum Event: Equatable {
    case message(MessageKind, [UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case close(UInt16?, [UInt8])

    var frame: (Opcode, [UInt8]) {
      switch self {
      case .message(let kind, let bytes): (kind == .text ? .text : .binary, bytes)
      case .ping(let bytes): (.ping, bytes)
      case .pong(let bytes): (.pong, bytes)
      case .close(nil, _): (.close, [])
      case .close(let code?, let reason):
        (.close, [UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)] + reason)
      }
    }
  }

  var events: [Event] = []
  var violation: ProtocolViolation?
  var isIdle = false
  private var open: Event?

  init(
    _ pieces: [ArraySlice<UInt8>], _ role: WebSocketRole, _ delivery: MessageDelivery
  ) throws(BrokenProperty) {
    var decoder = MessageDecoder(role: role, limits: limits, delivery: delivery)
    violation = try decode(pieces, &decoder, holdingAtMost: 2 * limits.maximumMessageBytes) {
      (event) throws(BrokenProperty) in try take(event)
    }
    if violation == nil { isIdle = decoder.isIdle }
    // Of a message that is not complete nobody has been told the whole.
    open = nil
  }

  private mutating func take(_ event: WebSocketEvent) throws(BrokenProperty) {
    switch event {
    case .message(let kind, let bytes):
      try hold(bytes.count <= limits.maximumMessageBytes, "no message is beyond the limit")
      if kind == .text {
        try hold(String(validating: bytes, as: UTF8.self) != nil, "a text is UTF-8")
      }
      events.append(.message(kind, Array(bytes)))
    case .fragment(let kind, let bytes, let isFirst, let isFinal):
      try hold(isFirst == (open == nil), "isFirst is right")
      var joined = Array(bytes)
      if case .message(let openKind, let before) = open {
        try hold(openKind == kind, "the kind stays")
        joined = before + joined
      }
      open = isFinal ? nil : .message(kind, joined)
      if isFinal { events.append(.message(kind, joined)) }
    case .ping(let bytes): events.append(.ping(Array(bytes)))
    case .pong(let bytes): events.append(.pong(Array(bytes)))
    case .close(let code, let reason):
      try hold(code?.isSendable ?? true, "the close code may be sent")
      try hold(String(validating: reason, as: UTF8.self) != nil, "the reason is UTF-8")
      events.append(.close(code?.rawValue, Array(reason)))
    }
  }
}
