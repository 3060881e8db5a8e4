import WebSocketCore

/// Sending a message of any size piece by piece (RFC 6455 §5.4).
extension WebSocketConnection {
  /// Whether a message that was begun by ``beginMessage(_:)`` has not ended.
  public var isSendingFragments: Bool { outgoing != nil }

  /// Begins a message whose pieces follow by ``sendFragment(_:isFinal:)``. Whole messages that are sent
  /// before its end wait for it; pings, pongs and a close frame do not.
  ///
  /// - Returns: false if the connection is closing or closed, or another message in fragments has not ended.
  @discardableResult
  public func beginMessage(_ kind: MessageKind) -> Bool {
    guard isOpen, outgoing == nil else { return false }
    outgoing = OutgoingMessage(kind: kind, compressor: decoder.compression.map(FragmentCompressor.init))
    return true
  }

  /// Sends the next piece of the message that was begun, as one frame.
  ///
  /// What the network does not take is queued. Who sends much looks at ``bufferedByteCount`` and waits for
  /// ``WebSocketHandler/drained(_:)``: beyond ``WebSocketOptions/maximumQueuedBytes`` the peer counts as too slow.
  ///
  /// - Parameters:
  ///   - fragment: the piece; the pieces of a text together must be valid UTF-8.
  ///   - isFinal: whether the message ends with it.
  /// - Returns: false if no message was begun, or the connection is closing or closed.
  @discardableResult
  public func sendFragment(_ fragment: UnsafeRawBufferPointer, isFinal: Bool) -> Bool {
    guard isOpen, let outgoing, hasRoom() else { return false }
    let opcode: Opcode = outgoing.isFirst ? (outgoing.kind == .text ? .text : .binary) : .continuation
    if let compressor = outgoing.compressor {
      // RFC 7692 §6.1: RSV1 is set on the first fragment only.
      compressor.compress(fragment, isFinal: isFinal) { compressed in
        let header = FrameHeader(
          isFinal: isFinal, rsv1: outgoing.isFirst, opcode: opcode, payloadLength: UInt64(compressed.count))
        writeFrame(header, compressed)
      }
    } else {
      sendFrame(opcode, isFinal: isFinal, fragment)
    }
    outgoing.isFirst = false
    if isFinal { endMessage(outgoing) }
    return true
  }

  /// What has waited for the message's end leaves in the order in which it was sent. If the kernel takes it all at once,
  /// no other event would tell those who wait for room.
  private func endMessage(_ message: OutgoingMessage) {
    outgoing = nil
    for waiting in message.waiting {
      switch waiting {
      case .message(let bytes, let kind): bytes.withUnsafeBytes { sendMessage($0, kind) }
      case .frame(let frame): stream.write(frame)
      case .prepared(let prepared): stream.write(prepared.frame(for: decoder.compression))
      }
    }
    guard !message.waiting.isEmpty else { return }
    flush()
    if stream.queuedByteCount == 0 { loop.execute { self.drained(self.stream) } }
  }
}
