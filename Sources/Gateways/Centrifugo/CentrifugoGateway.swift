import Bytes
import Realtime
import WebSocketCore
import WebSockets

/// Centrifugo's JSON protocol over WebSocket: one handler for all connections of all loops.
public final class CentrifugoGateway: WebSocketHandler, @unchecked Sendable {
  private let hub: Hub
  private let options: CentrifugoOptions
  private let encoding: Int
  private let counters: CentrifugoCounters

  /// Makes the gateway.
  ///
  /// - Parameters:
  ///   - hub: where the channels are; its loops are the connections' loops.
  ///   - encoding: the index of a ``CentrifugoJSONEncoding`` among the hub's encodings.
  ///   - options: tokens and deadlines.
  ///   - counters: count what happens.
  public init(
    hub: Hub, encoding: Int, options: CentrifugoOptions, counters: CentrifugoCounters = CentrifugoCounters()
  ) {
    self.counters = counters
    self.hub = hub
    self.encoding = encoding
    self.options = options
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func opened(_ connection: WebSocketConnection) {
    connection.attachment = CentrifugoSession(
      hub: hub, options: options, encoding: encoding, counters: counters, loop: connection.loop,
      output: ConnectionOutput(connection))
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    switch kind {
    case .text: session(of: connection)?.received(message)
    case .binary:
      connection.close(code: .unsupportedData, reason: "The JSON protocol has text messages only.")
    }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    session(of: connection)?.closed()
    connection.attachment = nil
  }

  private func session(of connection: WebSocketConnection) -> CentrifugoSession? {
    connection.attachment as? CentrifugoSession
  }
}

/// A session's way out through its WebSocket.
private final class ConnectionOutput: CentrifugoOutput {
  private unowned let connection: WebSocketConnection

  init(_ connection: WebSocketConnection) { self.connection = connection }

  func send(_ text: [UInt8]) -> Bool { text.withUnsafeBytes { connection.send($0, .text) } }
  func send(frame: SharedBytes) -> Bool { connection.send(prepared: frame) }
  func close(_ disconnect: Disconnect) {
    connection.close(code: CloseCode(rawValue: disconnect.code), reason: disconnect.reason)
  }
  func pauseReading() { connection.pauseReading() }
  func resumeReading() { connection.resumeReading() }
}
