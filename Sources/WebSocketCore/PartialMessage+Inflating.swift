import Bytes

/// Compressed messages (RFC 7692 §7.2.2).
extension PartialMessage {
  /// "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message."
  /// Lives as long as the program.
  private nonisolated(unsafe) static let tail: UnsafeRawBufferPointer = {
    let octets = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 4)
    octets.copyBytes(from: [0x00, 0x00, 0xFF, 0xFF])
    return UnsafeRawBufferPointer(octets)
  }()
  /// A piece of a message that is handed on in fragments has at most this many bytes.
  static let fragmentBytes = 64 << 10
  /// So much input at once, of which what the fragment has no room for is masked again.
  private static let inputBytes = 16 << 10

  // MARK: Whole messages

  /// Decompresses what came of a message that is delivered whole.
  func inflate(
    _ piece: UnsafeRawBufferPointer, isFinal: Bool, _ inflater: Inflater, _ limits: WebSocketLimits
  ) throws(ProtocolViolation) -> WebSocketEvent? {
    guard let kind else { return nil }
    try inflateAll(piece, inflater, limits)
    guard isFinal else { return nil }
    try inflateAll(Self.tail, inflater, limits)
    guard inflater.isAtBlockEnd else { throw .badDeflate }
    guard kind != .text || text.isComplete else { throw .badText }
    self.kind = nil
    isLending = true
    return .message(kind, payload.bytes)
  }

  /// Stops inside the inflater where the message becomes too large.
  private func inflateAll(
    _ input: UnsafeRawBufferPointer, _ inflater: Inflater, _ limits: WebSocketLimits
  ) throws(ProtocolViolation) {
    var rest = input
    while true {
      let room = payload.room(max(rest.count * 3, 1_024), limit: limits.maximumMessageBytes)
      guard !room.isEmpty else { return try inflateNothing(rest, inflater) }
      guard let (taken, given) = inflater.inflate(rest, into: room) else { throw .badDeflate }
      let new = UnsafeRawBufferPointer(rebasing: room[..<given])
      if kind == .text { guard text.append(new) else { throw .badText } }
      payload.extend(by: given)
      rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
      if given < room.count { return }
    }
  }

  /// The message is as large as it may be: what follows must decompress to nothing.
  private func inflateNothing(
    _ input: UnsafeRawBufferPointer, _ inflater: Inflater
  ) throws(ProtocolViolation) {
    var byte: UInt8 = 0
    let result = withUnsafeMutableBytes(of: &byte) { inflater.inflate(input, into: $0) }
    guard let result else { throw .badDeflate }
    guard result.given == 0 else { throw .messageTooBig }
  }

  // MARK: Fragments

  /// Decompresses at most one fragment's worth. What it has no room for stays in the input.
  func inflateFragment(
    _ input: inout UnsafeMutableRawBufferPointer, _ inflater: Inflater
  ) throws(ProtocolViolation) -> WebSocketEvent? {
    payload.empty(keeping: Self.fragmentBytes)
    while frame != nil {
      let room = payload.room(Self.fragmentBytes, limit: Self.fragmentBytes)
      guard !room.isEmpty else { break }
      guard let (taken, given) = try step(&input, inflater, room) else { return try finishFrame(inflater) }
      let new = UnsafeRawBufferPointer(rebasing: room[..<given])
      if kind == .text { guard text.append(new) else { throw .badText } }
      payload.extend(by: given)
      mayHaveOutput = given == room.count
      if taken == 0, given == 0, input.isEmpty, frame.map({ $0.remaining > 0 }) == true { break }
    }
    return emit(isFinal: false)
  }

  /// One call of the inflater: with the frame's payload, or the tail behind it. Nil at the end of the frame.
  private func step(
    _ input: inout UnsafeMutableRawBufferPointer, _ inflater: Inflater, _ room: UnsafeMutableRawBufferPointer
  ) throws(ProtocolViolation) -> (taken: Int, given: Int)? {
    guard let frame else { return nil }
    if frame.remaining > 0 {
      let result = inflatePayload(frame, &input, inflater, room)
      guard let result else { throw .badDeflate }
      return result
    }
    guard mayHaveOutput || frame.header.isFinal && tailTaken < Self.tail.count else { return nil }
    let offered = frame.header.isFinal ? tailTaken : Self.tail.count
    guard let result = inflater.inflate(UnsafeRawBufferPointer(rebasing: Self.tail[offered...]), into: room)
    else { throw .badDeflate }
    tailTaken = frame.header.isFinal ? tailTaken + result.taken : 0
    return result
  }

  private func inflatePayload(
    _ frame: Frame, _ input: inout UnsafeMutableRawBufferPointer, _ inflater: Inflater,
    _ room: UnsafeMutableRawBufferPointer
  ) -> (taken: Int, given: Int)? {
    let count = Int(min(frame.remaining, UInt64(min(input.count, Self.inputBytes))))
    let piece = UnsafeMutableRawBufferPointer(rebasing: input[..<count])
    let key = frame.header.maskingKey
    if let key { Masking.apply(key: key, to: piece, offset: Int(truncatingIfNeeded: frame.received & 3)) }
    guard let result = inflater.inflate(UnsafeRawBufferPointer(piece), into: room) else { return nil }
    self.frame?.received += UInt64(result.taken)
    if let key, result.taken < count {
      let left = UnsafeMutableRawBufferPointer(rebasing: piece[result.taken...])
      let offset = (frame.received &+ UInt64(result.taken)) & 3
      Masking.apply(key: key, to: left, offset: Int(truncatingIfNeeded: offset))
    }
    input = UnsafeMutableRawBufferPointer(rebasing: input[result.taken...])
    return result
  }

  private func finishFrame(_ inflater: Inflater) throws(ProtocolViolation) -> WebSocketEvent? {
    let isFinal = frame?.header.isFinal == true
    frame = nil
    if isFinal {
      guard inflater.isAtBlockEnd else { throw .badDeflate }
      guard kind != .text || text.isComplete else { throw .badText }
      tailTaken = 0
    }
    return emit(isFinal: isFinal)
  }

  private func emit(isFinal: Bool) -> WebSocketEvent? {
    guard let kind, isFinal || payload.count > 0 else { return nil }
    let isFirst = !hasEmitted
    hasEmitted = !isFinal
    if isFinal { self.kind = nil }
    isLending = true
    return .fragment(kind, payload.bytes, isFirst: isFirst, isFinal: isFinal)
  }
}
