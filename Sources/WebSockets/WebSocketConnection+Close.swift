import Bytes
import Transport
import WebSocketCore

extension WebSocketConnection {
  /// Starts the closing handshake (RFC 6455 §7.1.2): sends a close frame and waits for the peer's, for at most
  /// the options' close timeout.
  ///
  /// - Parameters:
  ///   - code: a code that may be sent; others are sent as 1000.
  ///   - reason: UTF-8 of at most 123 bytes; a longer one is cut at a character.
  public func close(code: CloseCode = .normal, reason: String = "") {
    guard !isGone, closing.close() else { return }
    sendClose(code.isSendable ? code : .normal, reason)
    outgoing = nil
    // The peer's close frame is awaited; what comes before it is thrown away.
    resumeReading()
    setTimer()
  }

  /// Cuts the connection without a closing handshake. Nothing is delivered any more but the end.
  public func abort() {
    _ = closing.fail(reason: ConnectionCloseReason.aborted.explanation)
    stream.abort()
  }

  /// Cuts the connection; its handler is told the reason.
  func abort(reason: String) {
    _ = closing.fail(reason: reason)
    stream.abort()
  }

  func drain(code: CloseCode, reason: String) {
    close(code: code, reason: reason)
  }

  /// The peer's close frame: answered by ours with the same code, if we have not sent one.
  func receivedClose(_ code: CloseCode?, _ reason: UnsafeRawBufferPointer) {
    if closing.receivedClose(code, reason: String(decoding: reason, as: UTF8.self)) {
      if let code {
        sendClose(code, "")
      } else {
        noteClosing()
        sendFrame(.close, UnsafeRawBufferPointer(start: nil, count: 0))
      }
    }
    endStream()
  }

  /// RFC 6455 §7.1.7, "Fail the WebSocket Connection": tell the peer why, then end the stream.
  func fail(_ code: CloseCode, _ reason: String) {
    if closing.fail(reason: reason) { sendClose(code, reason) }
    endStream()
  }

  /// RFC 6455 §7.1.1: "the server MUST close the TCP connection immediately … the client SHOULD wait for the server to
  /// close the connection but MAY close the connection at any time", here after a time.
  private func endStream() {
    switch role {
    case .server:
      cancelTimer()
      stream.close(lingerMilliseconds: options.closeTimeoutMilliseconds)
    case .client:
      setTimer()
    }
  }

  /// The closing handshake begins: a server tells how long it took.
  private func noteClosing() {
    if registry != nil { stream.endingSince = loop.nowMilliseconds }
  }

  private func sendClose(_ code: CloseCode, _ reason: String) {
    noteClosing()
    let text = reason.prefixOfUTF8(123)
    withUnsafeTemporaryAllocation(byteCount: 125, alignment: 2) { payload in
      payload.storeBytes(of: code.rawValue.bigEndian, as: UInt16.self)
      let count = text.utf8.withContiguousStorageIfAvailable { bytes in
        UnsafeMutableRawBufferPointer(rebasing: payload[2...]).copyBytes(from: bytes)
        return bytes.count
      }
      sendFrame(.close, UnsafeRawBufferPointer(rebasing: payload[..<(2 + (count ?? 0))]))
    }
  }
}

extension String {
  /// The longest prefix that has at most so many bytes in UTF-8 and ends with a whole character; its storage is
  /// contiguous.
  func prefixOfUTF8(_ maximum: Int) -> String {
    guard utf8.count > maximum else {
      var copy = self
      copy.makeContiguousUTF8()
      return copy
    }
    var prefix = ""
    var count = 0
    for scalar in unicodeScalars {
      count += UTF8.width(scalar)
      guard count <= maximum else { break }
      prefix.unicodeScalars.append(scalar)
    }
    prefix.makeContiguousUTF8()
    return prefix
  }
}
