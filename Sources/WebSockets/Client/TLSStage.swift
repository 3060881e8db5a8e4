import Transport

/// A client's connection during the TLS handshake; then it is the next handler's.
final class TLSStage: ConnectionHandler {
  private let context: TLSClientContext
  private let host: String
  private let port: UInt16
  private let deadline: UInt64
  private let next: ConnectionHandler
  private let failed: (TransportError) -> Void

  /// - Parameters:
  ///   - deadline: until when the handshake may take, by the loop's clock.
  ///   - failed: called once, on the loop, where there is no TLS.
  init(
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

  override func connected(_ connection: Connection) {
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
