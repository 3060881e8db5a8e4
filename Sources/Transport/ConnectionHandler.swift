import EventLoops

/// Where a stream socket is; see the event loops' type of the same name.
public typealias SocketAddress = EventLoops.SocketAddress

/// Why a connection is closed.
public enum ConnectionCloseReason: Sendable, Hashable {
  /// Both sides ended in order, or `close()` delivered all that was queued.
  case ended
  /// `abort()` was called.
  case aborted
  /// More was written than `maximumQueuedBytes` allows to wait: the peer reads too slowly.
  case outboundQueueOverflow
  /// `close()` gave the peer its time to read what was queued, and the peer did not.
  case lingerTimedOut
  /// The network or the peer broke the connection, with this errno (ECONNRESET, EPIPE, ETIMEDOUT...).
  case failed(errno: Int32)
  /// TLS failed: the handshake, the check of a certificate, or a record that is not in order.
  indirect case tlsFailed(TransportError)
  /// The event loop was shut down.
  case loopStopped
}

/// What happens on a connection. A class to be subclassed: a call costs a vtable entry and nothing else.
///
/// One instance may serve many connections of one loop. All calls come on the connection's loop. Inside any of them the
/// connection may be written to, finished, closed, aborted, or given another handler.
open class ConnectionHandler {
  /// Makes a handler that ignores what comes and closes when the peer ends.
  public init() {}

  /// The connection is there; reading starts when this returns.
  open func connected(_ connection: Connection) {}

  /// Bytes arrived: at least one, lent until the call returns. They may be changed in place.
  open func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {}

  /// The peer will send no more; it may still read. By default the connection is closed.
  open func receivedEnd(on connection: Connection) { connection.close() }

  /// The outbound queue, which the kernel had not taken at once, is empty again.
  open func drained(_ connection: Connection) {}

  /// The connection is closed. Called exactly once, last, and never inside a call of the connection's methods.
  open func closed(_ connection: Connection, _ reason: ConnectionCloseReason) {}

  /// Something will arrive soon: as ``IOTarget/prefetch(depth:)``.
  open func prefetch(depth: Int) {}
}
