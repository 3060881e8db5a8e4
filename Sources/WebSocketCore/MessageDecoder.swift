import Bytes

/// Frames in, messages out: parses headers, unmasks in place, reassembles, validates text as it comes, and keeps the
/// limits.
///
/// A message that lies whole in the input is lent from there: no copy, no allocation. What is partial is kept behind one
/// reference, which an idle connection does not have.
public struct MessageDecoder: ~Copyable {
  @usableFromInline let limits: WebSocketLimits
  @usableFromInline let role: WebSocketRole
  @usableFromInline let delivery: MessageDelivery
  @usableFromInline let permitsRSV1: Bool
  @usableFromInline var partial: PartialMessage?

  /// Makes a decoder for the given end of a connection.
  public init(
    role: WebSocketRole, limits: WebSocketLimits = WebSocketLimits(), delivery: MessageDelivery = .whole
  ) {
    self.role = role
    self.limits = limits
    self.delivery = delivery
    permitsRSV1 = false
  }

  /// Whether nothing partial is held: no piece of a frame, no unfinished message.
  public var isIdle: Bool { partial?.isDelivered ?? true }

  /// Finds the next event.
  ///
  /// - Parameter input: bytes that have arrived; they are changed in place, and the buffer is moved behind what was
  ///   taken.
  /// - Returns: nil when all of the input was taken and there is no further event in it.
  /// - Throws: what the peer did wrong; the decoder must not be used after that.
  @inlinable
  public mutating func next(
    _ input: inout UnsafeMutableRawBufferPointer
  ) throws(ProtocolViolation) -> WebSocketEvent? {
    if let event = try whole(&input) { return event }
    return try rest(&input)
  }

  /// The common case: nothing is held, and the next frame lies whole in the input and is a whole message.
  @inlinable
  mutating func whole(_ input: inout UnsafeMutableRawBufferPointer) throws(ProtocolViolation)
    -> WebSocketEvent?
  {
    guard partial == nil, let start = input.baseAddress else { return nil }
    let header = try FrameHeader.parse(
      UnsafeRawBufferPointer(input), receivedBy: role, permitsRSV1: permitsRSV1)
    guard let header, header.isFinal, header.opcode == .text || header.opcode == .binary else { return nil }
    let headerCount = header.encodedCount
    guard header.payloadLength <= UInt64(limits.maximumMessageBytes),
      header.payloadLength <= UInt64(input.count &- headerCount)
    else { return nil }
    let end = headerCount &+ Int(truncatingIfNeeded: header.payloadLength)
    let payload = UnsafeMutableRawBufferPointer(start: start + headerCount, count: end &- headerCount)
    input = UnsafeMutableRawBufferPointer(start: start + end, count: input.count &- end)
    if let key = header.maskingKey { Masking.apply(key: key, to: payload) }
    let message = UnsafeRawBufferPointer(payload)
    let kind: MessageKind = header.opcode == .text ? .text : .binary
    if kind == .text { guard UTF8Validator.validate(message) else { throw .badText } }
    if delivery == .fragments { return .fragment(kind, message, isFirst: true, isFinal: true) }
    return .message(kind, message)
  }

  /// Everything else: control frames, fragments, and what arrives in pieces.
  @usableFromInline
  mutating func rest(_ input: inout UnsafeMutableRawBufferPointer) throws(ProtocolViolation)
    -> WebSocketEvent?
  {
    if let partial, partial.isDelivered { self.partial = nil }
    while !input.isEmpty {
      let partial = partial ?? PartialMessage()
      self.partial = partial
      if partial.frame == nil {
        guard let header = try partial.parseHeader(&input, role, permitsRSV1) else { return nil }
        try partial.begin(header, limits, delivery)
      }
      let event = try partial.absorb(&input, delivery)
      if partial.isEmpty {
        // What a control frame outside of any message held must live as long as its event.
        if event == nil || !partial.isLending { self.partial = nil } else { partial.isDelivered = true }
      }
      if let event { return event }
    }
    return nil
  }
}
