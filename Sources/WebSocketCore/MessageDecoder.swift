import Bytes

/// Frames in, messages out: parses headers, unmasks in place, reassembles, validates text as it comes, and keeps the
/// limits.
///
/// A message that lies whole in the input is lent from there: no copy, no allocation. What is partial is kept behind one
/// reference, which an idle connection does not have.
public struct MessageDecoder: ~Copyable {
  // A server has one for each connection: what is small comes last, so that nothing lies between.
  /// permessage-deflate, where it was agreed on.
  public let compression: MessageCompression?
  @usableFromInline var partial: PartialMessage?
  /// In bytes; the greatest number for no limit.
  @usableFromInline let messageLimit: UInt32
  private let maximumFragmentCount: UInt32
  /// The receiving end.
  public let role: WebSocketRole
  @usableFromInline let delivery: MessageDelivery

  /// Makes a decoder for the given end of a connection.
  ///
  /// - Parameters:
  ///   - role: the receiving end.
  ///   - limits: what the peer may send.
  ///   - delivery: whole messages, or pieces as they arrive.
  ///   - compression: permessage-deflate, where it was agreed on.
  public init(
    role: WebSocketRole, limits: WebSocketLimits = WebSocketLimits(), delivery: MessageDelivery = .whole,
    compression: MessageCompression? = nil
  ) {
    self.role = role
    messageLimit = UInt32(clamping: limits.maximumMessageBytes)
    maximumFragmentCount = UInt32(clamping: limits.maximumFragmentCount)
    self.delivery = delivery
    self.compression = compression
  }

  @usableFromInline var maximumMessageBytes: Int { messageLimit == .max ? .max : Int(messageLimit) }

  private var limits: WebSocketLimits {
    WebSocketLimits(maximumMessageBytes: maximumMessageBytes, maximumFragmentCount: Int(maximumFragmentCount))
  }

  /// Whether nothing partial is held: no piece of a frame, no unfinished message.
  public var isIdle: Bool { partial?.isDelivered ?? true }

  /// Whether there is nothing to do before more input comes: nothing is held, not even what was lent last.
  @inlinable
  package var isEmpty: Bool { partial == nil }

  /// Whether an event may follow though there is no input left: a fragment that decompresses to more than one.
  public var hasPendingOutput: Bool { partial?.mayHaveOutput ?? false }

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
    if partial == nil {
      if input.isEmpty { return nil }
      if let event = try small(&input) { return event }
      if let event = try whole(&input) { return event }
    }
    return try rest(&input)
  }

  /// Most of what arrives, told by its first two bytes: a text or binary message in one frame of at most 125 bytes, all of
  /// it there, masked as it must be, not compressed.
  @inlinable @inline(__always)
  mutating func small(_ input: inout UnsafeMutableRawBufferPointer) throws(ProtocolViolation)
    -> WebSocketEvent?
  {
    let headerCount = role == .server ? 6 : 2
    guard delivery == .whole, input.count >= headerCount, let start = input.baseAddress else { return nil }
    let first = start.load(as: UInt8.self)
    // The mask bit, and lengths above 125, give a count that is out of range.
    let second = start.load(fromByteOffset: 1, as: UInt8.self)
    let count = Int(role == .server ? second ^ 0x80 : second)
    guard first == 0x81 || first == 0x82, count <= 125, count <= messageLimit,
      count <= input.count &- headerCount
    else { return nil }
    let payload = UnsafeMutableRawBufferPointer(start: start + headerCount, count: count)
    let end = headerCount &+ count
    input = UnsafeMutableRawBufferPointer(start: start + end, count: input.count &- end)
    var isASCII = false
    if role == .server {
      isASCII = Masking.apply(key: start.loadUnaligned(fromByteOffset: 2, as: UInt32.self), to: payload)
    }
    let message = UnsafeRawBufferPointer(payload)
    guard first == 0x81 else { return .message(.binary, message) }
    guard isASCII || UTF8Validator.validate(message) else { throw .badText }
    return .message(.text, message)
  }

  /// The common case: nothing is held, and the next frame lies whole in the input and is a whole message or a control
  /// frame.
  @inlinable
  mutating func whole(_ input: inout UnsafeMutableRawBufferPointer) throws(ProtocolViolation)
    -> WebSocketEvent?
  {
    guard let start = input.baseAddress else { return nil }
    let header = try FrameHeader.parse(
      UnsafeRawBufferPointer(input), receivedBy: role, permitsRSV1: compression != nil)
    guard let header, header.isFinal, !header.rsv1, header.opcode != .continuation else { return nil }
    let headerCount = header.encodedCount
    guard header.payloadLength <= UInt64(maximumMessageBytes) || header.opcode.isControl,
      header.payloadLength <= UInt64(input.count &- headerCount)
    else { return nil }
    let end = headerCount &+ Int(truncatingIfNeeded: header.payloadLength)
    let payload = UnsafeMutableRawBufferPointer(start: start + headerCount, count: end &- headerCount)
    input = UnsafeMutableRawBufferPointer(start: start + end, count: input.count &- end)
    let message = UnsafeRawBufferPointer(payload)
    guard header.opcode == .text else {
      if let key = header.maskingKey { Masking.apply(key: key, to: payload) }
      if header.opcode.isControl { return try Self.controlEvent(header.opcode, message) }
      return delivery == .fragments
        ? .fragment(.binary, message, isFirst: true, isFinal: true) : .message(.binary, message)
    }
    let isASCII = header.maskingKey.map { Masking.apply(key: $0, to: payload) } ?? false
    guard isASCII || UTF8Validator.validate(message) else { throw .badText }
    return delivery == .fragments
      ? .fragment(.text, message, isFirst: true, isFinal: true) : .message(.text, message)
  }

  /// Everything else: fragments, compressed messages, and what arrives in pieces.
  @usableFromInline
  mutating func rest(_ input: inout UnsafeMutableRawBufferPointer) throws(ProtocolViolation)
    -> WebSocketEvent?
  {
    if let partial, partial.isDelivered { release(partial) }
    while !input.isEmpty || partial?.mayHaveOutput == true {
      let partial = partial ?? compression?.pool.takePartial() ?? PartialMessage()
      self.partial = partial
      if partial.frame == nil {
        guard let header = try partial.parseHeader(&input, role, compression != nil) else { return nil }
        try partial.begin(header, limits, delivery, compression)
      }
      let event = try partial.absorb(&input, delivery, limits)
      if let inflater = partial.inflater, partial.kind == nil {
        partial.inflater = nil
        compression?.giveBack(inflater)
      }
      if partial.isEmpty {
        // What was put together must live as long as its event.
        if event == nil || !partial.isLending { release(partial) } else { partial.isDelivered = true }
      }
      if let event { return event }
    }
    return nil
  }

  private mutating func release(_ partial: PartialMessage) {
    self.partial = nil
    compression?.pool.giveBack(partial)
  }

  @usableFromInline
  static func controlEvent(
    _ opcode: Opcode, _ payload: UnsafeRawBufferPointer
  ) throws(ProtocolViolation) -> WebSocketEvent {
    switch opcode {
    case .ping: .ping(payload)
    case .pong: .pong(payload)
    default: try closeEvent(payload)
    }
  }

  /// RFC 6455 §5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer … Following
  /// the 2-byte integer, the body MAY contain UTF-8-encoded data".
  private static func closeEvent(
    _ payload: UnsafeRawBufferPointer
  ) throws(ProtocolViolation) -> WebSocketEvent {
    guard !payload.isEmpty else { return .close(nil, reason: payload) }
    guard payload.count >= 2 else { throw .shortClose }
    let code = CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
    guard code.isSendable else { throw .badCloseCode }
    let reason = UnsafeRawBufferPointer(rebasing: payload[2...])
    guard UTF8Validator.validate(reason) else { throw .badCloseReason }
    return .close(code, reason: reason)
  }
}
