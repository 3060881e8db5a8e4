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

  var frame: Frame?
  /// The first bytes of a header that is not complete.
  private var headerBytes: [UInt8] = []
  /// The payload of a control frame that is not complete.
  private var control: [UInt8] = []
  /// The message under way: its kind, fragments so far, and what has been received of it.
  var kind: MessageKind?
  private var fragmentCount = 0
  var text = UTF8Validator()
  var payload = GrowingBuffer()
  var hasEmitted = false
  /// Whether the message under way is compressed (RFC 7692 §6), and what decompresses it.
  private var isCompressed = false
  var inflater: Inflater?
  /// How much of the tail that the sender removed the inflater has been given back.
  var tailTaken = 0
  /// Whether the inflater stopped because there was no room: more may come without more input.
  var mayHaveOutput = false
  /// The payload's announced total: of all frames begun so far.
  private var announced: UInt64 = 0
  /// Whether the last event's bytes are held here.
  var isLending = false
  /// Whether everything here has been handed out, so that the decoder may let go at its next call.
  @usableFromInline var isDelivered = false

  /// The memory that the message under way has, in bytes.
  var payloadCapacity: Int { payload.capacity }

  /// Whether no frame and no message is under way.
  var isEmpty: Bool { frame == nil && kind == nil && headerBytes.isEmpty }

  /// Makes it as new, but for memory worth keeping.
  func reset() {
    frame = nil
    headerBytes.removeAll(keepingCapacity: true)
    control.removeAll(keepingCapacity: true)
    kind = nil
    fragmentCount = 0
    text = UTF8Validator()
    payload.empty(keeping: CompressionPool.keptBytes)
    hasEmitted = false
    isCompressed = false
    inflater = nil
    tailTaken = 0
    mayHaveOutput = false
    announced = 0
    isLending = false
    isDelivered = false
  }

  // MARK: Headers

  /// Takes a header from the front of the input; nil if it does not hold all of it.
  func parseHeader(
    _ input: inout UnsafeMutableRawBufferPointer, _ role: WebSocketRole, _ permitsRSV1: Bool
  ) throws(ProtocolViolation) -> FrameHeader? {
    guard !headerBytes.isEmpty else {
      let bytes = UnsafeRawBufferPointer(input)
      guard let header = try FrameHeader.parse(bytes, receivedBy: role, permitsRSV1: permitsRSV1) else {
        headerBytes = Array(bytes)
        input = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        return nil
      }
      input = UnsafeMutableRawBufferPointer(rebasing: input[header.encodedCount...])
      return header
    }
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
    _ header: FrameHeader, _ limits: WebSocketLimits, _ delivery: MessageDelivery,
    _ compression: MessageCompression?
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
      isCompressed = header.rsv1
      inflater = isCompressed ? compression?.takeInflater() : nil
    case .continuation:
      guard kind != nil else { throw .strayContinuation }
      // RFC 7692 §6.1: the bit is "set only on the first fragment".
      guard !header.rsv1 else { throw .reservedBit }
    }
    fragmentCount += 1
    guard delivery == .whole else { return }
    guard fragmentCount <= limits.maximumFragmentCount else { throw .tooManyFragments }
    let (sum, overflow) = announced.addingReportingOverflow(header.payloadLength)
    let largest = UInt64(limits.maximumMessageBytes)
    guard !overflow, sum <= (isCompressed ? Self.largestCompressed(largest) : largest) else {
      throw .messageTooBig
    }
    announced = sum
  }

  /// What a message that is not too large may come to when it does not compress: some bytes for each block and fragment.
  private static func largestCompressed(_ size: UInt64) -> UInt64 { size + size / 8 + 16_384 }

  // MARK: Payloads

  /// Takes what the input holds of the frame's payload.
  func absorb(
    _ input: inout UnsafeMutableRawBufferPointer, _ delivery: MessageDelivery, _ limits: WebSocketLimits
  ) throws(ProtocolViolation) -> WebSocketEvent? {
    guard var frame else { return nil }
    if let inflater, !frame.header.opcode.isControl, delivery == .fragments {
      return try inflateFragment(&input, inflater)
    }
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
    if let inflater {
      return try inflate(
        UnsafeRawBufferPointer(piece), isFinal: isComplete && frame.header.isFinal, inflater, limits)
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
      return try MessageDecoder.controlEvent(opcode, lent.bytes)
    }
    isLending = false
    return try MessageDecoder.controlEvent(opcode, piece)
  }

  /// A control frame's payload that was put together here.
  private var lent = GrowingBuffer()
}
