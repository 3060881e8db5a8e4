import Bytes
import Transport
import WebSocketCore

extension WebSocketConnection {
  /// Sends a whole message as one frame.
  ///
  /// - Parameters:
  ///   - message: the payload; a text must be valid UTF-8, which is the caller's promise.
  ///   - kind: text or binary.
  /// - Returns: false if the connection is closing or closed and the message was dropped.
  @discardableResult
  public func send(_ message: UnsafeRawBufferPointer, _ kind: MessageKind) -> Bool {
    if sendsPlainly, message.count <= 125, sendSmall(message, kind) { return true }
    return sendAny(message, kind)
  }

  private func sendAny(_ message: UnsafeRawBufferPointer, _ kind: MessageKind) -> Bool {
    guard isOpen, hasRoom() else { return false }
    if let outgoing {
      outgoing.hold(.message(Array(message), kind))
    } else {
      sendMessage(message, kind)
    }
    return true
  }

  /// A server's message without compression, with the shortest header, to a peer that keeps up: the common case, in as few
  /// steps as can be. False where it is another case.
  @inline(__always)
  private func sendSmall(_ message: UnsafeRawBufferPointer, _ kind: MessageKind) -> Bool {
    guard closing.state == .open, outgoing == nil,
      let start = stream.reserve(2 + message.count, whileQueued: options.maximumQueuedBytes)
    else { return false }
    start.storeBytes(of: kind == .text ? 0x81 : 0x82, as: UInt8.self)
    start.storeBytes(of: UInt8(truncatingIfNeeded: message.count), toByteOffset: 1, as: UInt8.self)
    if let from = message.baseAddress { (start + 2).copyMemory(from: from, byteCount: message.count) }
    return true
  }

  /// Sends a text message.
  ///
  /// - Returns: false if the connection is closing or closed and the message was dropped.
  @discardableResult
  public func send(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { send(UnsafeRawBufferPointer($0), .text) }
  }

  /// Sends a frame that was encoded before, as ``FrameEncoder`` encodes a server's: by reference, so that one
  /// frame goes to any number of connections.
  ///
  /// - Returns: false if the connection is closing or closed and the frame was dropped.
  @discardableResult
  public func send(prepared frame: SharedBytes) -> Bool {
    precondition(role == .server, "a client masks every frame anew")
    guard isOpen, hasRoom() else { return false }
    if let outgoing { outgoing.hold(.frame(frame)) } else { stream.write(frame) }
    return true
  }

  /// Sends the message of a server's whole, uncompressed frame as one of this connection's own: compressed with what
  /// its window holds, where context was agreed on, which a frame that is shared cannot be.
  ///
  /// - Returns: false if the connection is closing or closed and the message was dropped.
  package func send(messageOf frame: SharedBytes) -> Bool {
    frame.withUnsafeBytes { bytes in
      guard let header = try? FrameHeader.parse(bytes, receivedBy: .client) else { return false }
      let payload = UnsafeRawBufferPointer(rebasing: bytes[header.encodedCount...])
      return send(payload, header.opcode == .text ? .text : .binary)
    }
  }

  /// Sends a message that was encoded before, compressed where the connection can take that.
  ///
  /// - Returns: false if the connection is closing or closed and the message was dropped.
  @discardableResult
  public func send(_ message: PreparedMessage) -> Bool {
    precondition(role == .server, "a client masks every frame anew")
    guard isOpen, hasRoom() else { return false }
    if let outgoing {
      outgoing.hold(.prepared(message))
    } else {
      stream.write(message.frame(for: decoder.compression))
    }
    return true
  }

  /// Sends a ping with up to 125 bytes of payload; a longer payload is cut.
  public func ping(_ payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)) {
    guard isOpen, hasRoom() else { return }
    sendFrame(.ping, UnsafeRawBufferPointer(rebasing: payload.prefix(125)))
  }

  /// RFC 6455 §5.5.2: "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response". Counts against the
  /// limit like any message: a peer that sends pings and reads nothing would fill the memory otherwise.
  func pong(_ payload: UnsafeRawBufferPointer) {
    guard isOpen, hasRoom() else { return }
    sendFrame(.pong, payload)
  }

  /// Whether the peer keeps up; if not, this ends the connection.
  func hasRoom() -> Bool {
    guard bufferedByteCount > options.maximumQueuedBytes else { return true }
    stream.flush()
    guard bufferedByteCount > options.maximumQueuedBytes else { return true }
    registry?.counters.slowConsumers.count()
    if let answer = options.slowConsumerClose {
      close(code: answer.code, reason: answer.reason)
    } else {
      _ = closing.fail(reason: ConnectionCloseReason.outboundQueueOverflow.explanation)
      stream.abort()
    }
    return false
  }

  /// Writes a whole message, compressed where that was agreed on and is worth it.
  func sendMessage(_ message: UnsafeRawBufferPointer, _ kind: MessageKind) {
    let opcode: Opcode = kind == .text ? .text : .binary
    let isSent: Void? = decoder.compression?.compress(message) { compressed in
      writeFrame(FrameHeader(rsv1: true, opcode: opcode, payloadLength: UInt64(compressed.count)), compressed)
    }
    if isSent == nil { sendFrame(opcode, message) }
  }

  /// Encodes a frame and writes it.
  func sendFrame(_ opcode: Opcode, isFinal: Bool = true, _ payload: UnsafeRawBufferPointer) {
    let key = masking?.next()
    let count = FrameEncoder.encodedCount(payloadCount: payload.count, masked: key != nil)
    if let start = stream.reserve(count) {
      let frame = UnsafeMutableRawBufferPointer(start: start, count: count)
      _ = FrameEncoder.encode(
        opcode: opcode, isFinal: isFinal, payload: payload, maskingKey: key, into: frame)
    } else if key == nil {
      write(FrameHeader(isFinal: isFinal, opcode: opcode, payloadLength: UInt64(payload.count)), payload)
    } else {
      withUnsafeTemporaryAllocation(byteCount: count, alignment: 16) { frame in
        _ = FrameEncoder.encode(
          opcode: opcode, isFinal: isFinal, payload: payload, maskingKey: key, into: frame)
        stream.write(UnsafeRawBufferPointer(frame))
      }
    }
  }

  /// Writes a frame whose payload may be changed in place, which spares a client a copy.
  func writeFrame(_ header: FrameHeader, _ payload: UnsafeMutableRawBufferPointer) {
    var header = header
    if let key = masking?.next() {
      header.maskingKey = key
      Masking.apply(key: key, to: payload)
    }
    write(header, UnsafeRawBufferPointer(payload))
  }

  private func write(_ header: FrameHeader, _ payload: UnsafeRawBufferPointer) {
    withUnsafeTemporaryAllocation(byteCount: FrameHeader.maximumCount, alignment: 8) { bytes in
      let count = header.encode(into: bytes)
      stream.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
    if !payload.isEmpty { stream.write(payload) }
  }
}
