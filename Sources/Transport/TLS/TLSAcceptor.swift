/// The first handler of a server's connection with TLS: makes the handshake, then gives the connection to the handler
/// it is for, which hears `connected` only then, and nothing at all of a connection whose handshake fails.
package final class TLSAcceptor: ConnectionHandler {
  private let server: TLSServerContext
  private let counters: TLSCounters
  private let buffered: [UInt8]
  private let next: ConnectionHandler

  /// - Parameters:
  ///   - server: certificates and settings.
  ///   - counters: count what becomes of the handshake.
  ///   - buffered: what has arrived of it already, behind something else.
  ///   - next: whom the connection is for.
  package init(
    server: TLSServerContext, counters: TLSCounters, buffered: [UInt8] = [], next: ConnectionHandler
  ) {
    self.server = server
    self.counters = counters
    self.buffered = buffered
    self.next = next
  }

  /// The TCP connection is there.
  package override func connected(_ connection: Connection) {
    connection.startTLS(server: server, counters: counters, buffered: buffered) { [next] result in
      guard case .success = result else { return }
      connection.handler = next
      next.connected(connection)
    }
  }
}
