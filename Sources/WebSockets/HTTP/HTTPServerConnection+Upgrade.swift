import Bytes
import HTTPCore
import Transport
import WebSocketCore

extension HTTPServerConnection {
  /// Answers what the registry holds, 101; from here on the connection is a WebSocket's.
  func upgrade(
    to handler: WebSocketHandler, options: WebSocketOptions,
    compression: DeflateAgreement?, attachment: AnyObject?
  ) {
    guard state == .answering, let transport else { return }
    watch = nil
    guard !isLast else {
      respond(.text(.serviceUnavailable, "The server is shutting down.\n"))
      return
    }
    registry.response.bytes.withUnsafeBytes { transport.write($0) }
    state = .upgraded
    registry.counters.openings.record(milliseconds: registry.loop.nowMilliseconds - since)
    leave()
    let socket = WebSocketConnection(
      transport: transport, role: .server, handler: handler, options: options, compression: compression,
      registry: registry)
    socket.attachment = attachment
    transport.handler = socket
    // Before the handler is called, which may pause reading for reasons of its own.
    if isReadingPaused { transport.resumeReading() }
    socket.open()
    var bytes = unread
    unread = []
    if !bytes.isEmpty { bytes.withUnsafeMutableBytes { socket.received($0, on: transport) } }
  }
}
