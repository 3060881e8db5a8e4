import Bytes
import EventLoops
import HTTPCore
import Transport

/// A response whose body is written over time: in chunks (RFC 9112 §7.1), or, for a client of HTTP/1.0, up to the
/// connection's end.
///
/// Loop-confined, like the exchange that it answers. What is written in one turn of the loop leaves in one system call.
public final class HTTPResponseStream: @unchecked Sendable {
  /// How the client knows where the body ends.
  enum Framing {
    case chunked
    /// By the end of the connection.
    case connection
    /// There is none: the request was HEAD.
    case empty
  }

  /// The loop that owns the connection.
  public let loop: EventLoop
  /// More bytes than this must not wait for the client: ``write(_:)`` refuses, then.
  public let maximumQueuedBytes: Int
  let framing: Framing
  /// Whether the client was told that the connection serves further requests.
  let keepsAlive: Bool
  /// Nil when the body has ended, or the client is gone.
  private var connection: HTTPServerConnection?

  init(
    _ connection: HTTPServerConnection, loop: EventLoop, framing: Framing, keepsAlive: Bool,
    maximumQueuedBytes: Int
  ) {
    self.connection = connection
    self.loop = loop
    self.framing = framing
    self.keepsAlive = keepsAlive
    self.maximumQueuedBytes = maximumQueuedBytes
  }

  /// Whether the body goes on.
  public var isOpen: Bool { connection != nil }

  /// Bytes that were written and not yet taken by the kernel, those that mark chunks included.
  public var bufferedByteCount: Int { connection?.transport?.queuedByteCount ?? 0 }

  /// Whether more bytes than this wait after the kernel was offered them: then ``HTTPStreamHandler/drained(_:)`` will follow.
  public func isBackedUp(beyond byteCount: Int) -> Bool {
    guard let transport = connection?.transport, transport.queuedByteCount > byteCount else { return false }
    transport.flush()
    return transport.queuedByteCount > byteCount
  }

  /// Writes a piece of the body as one chunk.
  ///
  /// - Returns: false if the body has ended, if the client is gone, or if more than ``maximumQueuedBytes`` wait for it
  ///   already; nothing is written then.
  @discardableResult
  public func write(_ piece: UnsafeRawBufferPointer) -> Bool {
    guard hasRoom(), let transport = connection?.transport else { return false }
    write(piece, to: transport)
    return true
  }

  private func write(_ piece: UnsafeRawBufferPointer, to transport: Connection) {
    guard framing == .chunked, !piece.isEmpty else {
      if framing == .connection { transport.write(piece) }
      return
    }
    var size = ByteWriter()
    size.appendHexadecimal(UInt64(piece.count))
    size.append("\r\n")
    size.bytes.withUnsafeBytes { transport.write($0) }
    transport.write(piece)
    let end: StaticString = "\r\n"
    transport.write(UnsafeRawBufferPointer(start: end.utf8Start, count: end.utf8CodeUnitCount))
  }

  /// Writes a piece of the body as one chunk.
  ///
  /// - Returns: false as for the other.
  @discardableResult
  public func write(_ piece: [UInt8]) -> Bool { piece.withUnsafeBytes { write($0) } }

  /// Ends the body. The connection goes on with the next request where it can.
  public func end() {
    connection?.endStream(self)
    connection = nil
  }

  /// Writes a last piece, whatever waits already, and ends the body.
  public func end(with piece: [UInt8]) {
    writeLast(piece)
    end()
  }

  /// Writes a last piece, whatever waits already; ``end()`` is to follow.
  package func writeLast(_ piece: [UInt8]) {
    if let transport = connection?.transport { piece.withUnsafeBytes { write($0, to: transport) } }
  }

  /// Cuts the connection: the client knows that the body is not whole.
  public func abort() {
    connection?.transport?.abort()
    connection = nil
  }

  /// The connection has gone.
  func detach() { connection = nil }

  private func hasRoom() -> Bool {
    guard let transport = connection?.transport else { return false }
    guard transport.queuedByteCount > maximumQueuedBytes else { return true }
    transport.flush()
    guard transport.queuedByteCount > maximumQueuedBytes else { return true }
    connection?.registry.counters.slowConsumers.count()
    return false
  }
}
