import Bytes

/// What a decoder holds between two inputs: a piece of a header, a frame that is not complete, a message that is not
/// complete, or a complete one that is lent out.
@usableFromInline
final class PartialMessage {
  /// The frame whose payload is being received.
  struct Frame {
    let header: FrameHeader
    var received: UInt64 = 0
    var remaining: UInt64 { header.payloadLength - received }
  }

  private(set) var frame: Frame?
  /// The first bytes of a header that is not complete.
  private var headerBytes: [UInt8] = []
  /// The payload of a control frame that is not complete.
  private var control: [UInt8] = []
  /// The message under way: its kind, fragments so far, and what has been received of it.
  private var kind: MessageKind?
  private var fragmentCount = 0
  private var text = UTF8Validator()
  private var payload = GrowingBuffer()
  private var hasEmitted = false
  /// The payload's announced total: of all frames begun so far.
  private var announced: UInt64 = 0
  /// Whether the last event's bytes are held here.
  private(set) var isLending = false
  /// Whether everything here has been handed out, so that the decoder may let go at its next call.
  @usableFromInline var isDelivered = false

  /// The memory that the message under way has, in bytes.
  var payloadCapacity: Int { payload.capacity }

  /// Whether no frame and no message is under way.
  var isEmpty: Bool { frame == nil && kind == nil && headerBytes.isEmpty }

  // MARK: Headers

  /// Takes a header from the front of the input; nil if it does not hold all of it.
  func parseHeader(
    _ input: inout UnsafeMutableRawBufferPointer, _ role: WebSocketRole, _ permitsRSV1: Bool
  ) throws(ProtocolViolation) -> FrameHeader? {
    let held = headerBytes.count
    headerBytes.append(contentsOf: input.prefix(FrameHeader.maximumCount - held))
    var violation: ProtocolViolation?
    let header = headerBytes.withUnsafeBytes { (bytes) -> FrameHeader? in
      do throws(ProtocolViolation) {
        return try FrameHeader.parse(bytes, receivedBy: role, permitsRSV1: permitsRSV1)
      } catch {
        violation = error
        return nil
      }
    }
    if let violation { throw violation }
    let taken = header.map { $0.encodedCount - held } ?? headerBytes.count - held
    input = UnsafeMutableRawBufferPointer(rebasing: input[taken...])
    if header != nil { headerBytes = [] }
    return header
  }

  /// Begins a frame, if one like it may come here.
  func begin(
    _ header: FrameHeader, _ limits: WebSocketLimits, _ delivery: MessageDelivery
  ) throws(ProtocolViolation) {
    frame = Frame(header: header)
    switch header.opcode {
    case .close, .ping, .pong:
      return
    case .text, .binary:
      // RFC 6455 §5.4: "The fragments of one message MUST NOT be interleaved between the fragments of another
      // message unless an extension has been negotiated".
      guard kind == nil else { throw .interruptedMessage }
      kind = header.opcode == .text ? .text : .binary
    case .continuation:
      guard kind != nil else { throw .strayContinuation }
    }
    fragmentCount += 1
    guard delivery == .whole else { return }
    guard fragmentCount <= limits.maximumFragmentCount else { throw .tooManyFragments }
    let (sum, overflow) = announced.addingReportingOverflow(header.payloadLength)
    guard !overflow, sum <= UInt64(limits.maximumMessageBytes) else { throw .messageTooBig }
    announced = sum
  }

  // MARK: Payloads

  /// Takes what the input holds of the frame's payload.
  func absorb(
    _ input: inout UnsafeMutableRawBufferPointer, _ delivery: MessageDelivery
  ) throws(ProtocolViolation) -> WebSocketEvent? {
    guard var frame else { return nil }
    let count = Int(min(frame.remaining, UInt64(input.count)))
    let piece = UnsafeMutableRawBufferPointer(rebasing: input[..<count])
    input = UnsafeMutableRawBufferPointer(rebasing: input[count...])
    if let key = frame.header.maskingKey {
      Masking.apply(key: key, to: piece, offset: Int(truncatingIfNeeded: frame.received & 3))
    }
    frame.received += UInt64(count)
    let isComplete = frame.remaining == 0
    self.frame = isComplete ? nil : frame
    if frame.header.opcode.isControl {
      return try absorbControl(frame.header.opcode, UnsafeRawBufferPointer(piece), isComplete)
    }
    // Only in the final fragment is what is announced the whole message; before that, growth is by doubling alone.
    return try absorbData(
      UnsafeRawBufferPointer(piece), isFinal: isComplete && frame.header.isFinal, delivery,
      bound: frame.header.isFinal ? announced : .max)
  }

  private func absorbData(
    _ piece: UnsafeRawBufferPointer, isFinal: Bool, _ delivery: MessageDelivery, bound: UInt64
  ) throws(ProtocolViolation) -> WebSocketEvent? {
    guard let kind else { return nil }
    if kind == .text {
      // RFC 6455 §8.1: "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not
      // … valid …, that endpoint MUST _Fail the WebSocket Connection_." At the first such byte, not at the end.
      guard text.append(piece), !isFinal || text.isComplete else { throw .badText }
    }
    isLending = false
    if delivery == .fragments {
      guard isFinal || !piece.isEmpty else { return nil }
      defer { hasEmitted = true }
      if isFinal { self.kind = nil }
      let isFirst = !hasEmitted
      return .fragment(kind, piece, isFirst: isFirst, isFinal: isFinal)
    }
    payload.append(piece, announced: bound)
    guard isFinal else { return nil }
    self.kind = nil
    isLending = true
    return .message(kind, payload.bytes)
  }

  private func absorbControl(
    _ opcode: Opcode, _ piece: UnsafeRawBufferPointer, _ isComplete: Bool
  ) throws(ProtocolViolation) -> WebSocketEvent? {
    guard isComplete, control.isEmpty else {
      control.append(contentsOf: piece)
      guard isComplete else { return nil }
      lent.copy(control)
      control = []
      isLending = true
      return try controlEvent(opcode, lent.bytes)
    }
    isLending = false
    return try controlEvent(opcode, piece)
  }

  /// A control frame's payload that was put together here.
  private var lent = GrowingBuffer()

  private func controlEvent(
    _ opcode: Opcode, _ payload: UnsafeRawBufferPointer
  ) throws(ProtocolViolation) -> WebSocketEvent {
    switch opcode {
    case .ping: return .ping(payload)
    case .pong: return .pong(payload)
    default: return try Self.closeEvent(payload)
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
