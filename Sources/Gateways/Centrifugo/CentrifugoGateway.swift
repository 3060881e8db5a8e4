import Bytes
import Realtime
import WebSocketCore
import WebSockets

/// Centrifugo's JSON protocol over WebSocket: one handler for all connections of all loops.
public final class CentrifugoGateway: WebSocketHandler, @unchecked Sendable {
  private let hub: Hub
  private let options: CentrifugoOptions
  private let encoding: Int
  private let compressed: (index: Int, encoding: CompressedEncoding)?
  private let counters: CentrifugoCounters

  /// Makes the gateway.
  ///
  /// - Parameters:
  ///   - hub: where the channels are; its loops are the connections' loops.
  ///   - encoding: the index of a ``CentrifugoJSONEncoding`` among the hub's encodings.
  ///   - compressedEncoding: the index of a ``CompressedEncoding`` of it; nil if there is none.
  ///   - options: tokens and deadlines.
  ///   - counters: count what happens.
  public init(
    hub: Hub, encoding: Int, compressedEncoding: Int? = nil, options: CentrifugoOptions,
    counters: CentrifugoCounters = CentrifugoCounters()
  ) {
    compressed = compressedEncoding.flatMap { index in
      (hub.encodings[index] as? CompressedEncoding).map { (index, $0) }
    }
    self.counters = counters
    self.hub = hub
    self.encoding = encoding
    self.options = options
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func opened(_ connection: WebSocketConnection) {
    connection.attachment = CentrifugoSession(
      hub: hub, options: options, encoding: encoding(for: connection), counters: counters,
      loop: connection.loop, output: ConnectionOutput(connection))
  }

  /// Frames that are compressed for all who can take them, plain ones for the others.
  private func encoding(for connection: WebSocketConnection) -> Int {
    if let compressed, compressed.encoding.suits(connection.compression) { return compressed.index }
    return encoding
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
  /// What goes out is compressed with the connection's own context.
  private let hasContext: Bool

  init(_ connection: WebSocketConnection) {
    self.connection = connection
    hasContext = connection.compression?.sendsWithContext == true
  }

  func send(_ text: [UInt8]) -> Bool { text.withUnsafeBytes { connection.send($0, .text) } }
  func send(frame: SharedBytes) -> Bool {
    hasContext ? connection.send(messageOf: frame) : connection.send(prepared: frame)
  }
  func close(_ disconnect: Disconnect) {
    connection.close(code: CloseCode(rawValue: disconnect.code), reason: disconnect.reason)
  }
  func pauseReading() { connection.pauseReading() }
  func resumeReading() { connection.resumeReading() }
}
