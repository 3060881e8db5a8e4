import Bytes
import HTTPCore
import Transport

extension HTTPExchange {
  /// Answers with a body that is written over time.
  ///
  /// The client may take as long as it likes, and so may the server: no deadline applies. When the client ends its side or
  /// the connection is lost, the handler is told.
  ///
  /// - Parameters:
  ///   - status: one that has a body: not 1xx, 204 or 304.
  ///   - fields: header fields; those that frame the body, `Date` and `Connection` are set by the server.
  ///   - maximumQueuedBytes: more bytes than this must not wait for the client; default 1 MiB.
  ///   - handler: hears what becomes of the response.
  /// - Returns: nil if the request has been answered before, the client is gone, or the fields cannot be written; and, with
  ///   503 for the client, while the server shuts down.
  public func stream(
    status: HTTPStatus = .ok, fields: HTTPFields = HTTPFields(), maximumQueuedBytes: Int = 1 << 20,
    to handler: HTTPStreamHandler
  ) -> HTTPResponseStream? {
    take()?.beginStream(status, fields, maximumQueuedBytes, handler)
  }
}

extension HTTPServerConnection {
  func beginStream(
    _ status: HTTPStatus, _ fields: HTTPFields, _ maximumQueuedBytes: Int, _ handler: HTTPStreamHandler
  ) -> HTTPResponseStream? {
    guard state == .answering, let head, let transport else { return nil }
    guard !isLast else {
      respond(.text(.serviceUnavailable, "The server is shutting down.\n"))
      return nil
    }
    self.head = nil
    watch = nil
    countResponse()
    let framing: HTTPResponseStream.Framing =
      head.method == .head ? .empty : head.version == .http10 ? .connection : .chunked
    let keepsAlive = head.isKeepAlive && framing != .connection
    var fields = fields
    if framing != .connection { fields.append("Transfer-Encoding", "chunked") }
    guard write(status, fields, keepsAlive: keepsAlive, isHTTP10: head.version == .http10) else { return nil }
    let stream = HTTPResponseStream(
      self, loop: registry.loop, framing: framing, keepsAlive: keepsAlive,
      maximumQueuedBytes: maximumQueuedBytes)
    state = .streaming
    streaming = (stream, handler)
    // Read, so that the client's end is seen.
    if isReadingPaused, unread.isEmpty {
      isReadingPaused = false
      transport.resumeReading()
    }
    return stream
  }

  func endStream(_ stream: HTTPResponseStream) {
    guard streaming?.stream === stream, let transport else { return }
    streaming = nil
    state = .answering
    if stream.framing == .chunked {
      var writer = ByteWriter()
      HTTPEncoder.encodeLastChunk(into: &writer)
      writer.bytes.withUnsafeBytes { transport.write($0) }
    }
    answered(keepsAlive: stream.keepsAlive && !isLast, transport)
  }

  /// Nobody reads the body any more.
  func tellStreamGone() {
    guard let streaming else { return }
    self.streaming = nil
    streaming.stream.detach()
    streaming.handler.closed(streaming.stream)
  }
}
