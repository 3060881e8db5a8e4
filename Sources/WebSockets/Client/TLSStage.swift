import Transport

/// A client's connection during the TLS handshake; then it is the next handler's.
package final class TLSStage: ConnectionHandler {
  private let context: TLSClientContext
  private let host: String
  private let port: UInt16
  private let deadline: UInt64
  private let next: ConnectionHandler
  private let failed: (TransportError) -> Void

  /// - Parameters:
  ///   - context: trust and sessions.
  ///   - host: the name or address that the server must prove to be.
  ///   - port: with the host, the name under which sessions are kept.
  ///   - deadline: until when the handshake may take, by the loop's clock.
  ///   - next: whom the connection is for.
  ///   - failed: called once, on the loop, where there is no TLS.
  package init(
    _ context: TLSClientContext, host: String, port: UInt16, deadline: UInt64, next: ConnectionHandler,
    failed: @escaping (TransportError) -> Void
  ) {
    self.context = context
    self.host = host
    self.port = port
    self.deadline = deadline
    self.next = next
    self.failed = failed
  }

  /// The TCP connection is there, or the proxy's way.
  package override func connected(_ connection: Connection) {
    let now = connection.loop.nowMilliseconds
    connection.startTLS(
      client: context, host: host, port: port, timeoutMilliseconds: deadline > now ? deadline - now : 0
    ) { [self] result in
      switch result {
      case .success:
        connection.handler = next
        next.connected(connection)
      case .failure(let error): failed(error)
      }
    }
  }
}
