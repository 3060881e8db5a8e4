import Bytes
import Realtime
import WebSocketCore
import WebSockets

/// Centrifugo's protocol over WebSocket, in JSON and in Protobuf: one handler for all connections of all loops.
public final class CentrifugoGateway: WebSocketHandler, @unchecked Sendable {
  /// The subprotocol of clients that speak Protobuf; those that speak JSON need none.
  public static let protobufSubprotocol = "centrifuge-protobuf"

  private let context: SessionContext
  private let json: SessionEncodings
  private let protobuf: SessionEncodings?

  /// Makes the gateway. Clients may speak Protobuf if a ``CentrifugoProtobufEncoding`` is among the hub's encodings, and
  /// get frames that are compressed once for all if there is a ``CompressedEncoding`` of theirs.
  ///
  /// - Parameters:
  ///   - hub: where the channels are; its loops are the connections' loops.
  ///   - encoding: the index of a ``CentrifugoJSONEncoding`` among the hub's encodings.
  ///   - options: tokens and deadlines.
  ///   - counters: count what happens.
  public init(
    hub: Hub, encoding: Int, options: CentrifugoOptions, counters: CentrifugoCounters = CentrifugoCounters()
  ) {
    json = SessionEncodings(plain: encoding, among: hub) { $0 is CentrifugoJSONEncoding }
    protobuf = hub.encodings.firstIndex { $0 is CentrifugoProtobufEncoding }.map { index in
      SessionEncodings(plain: index, among: hub) { $0 is CentrifugoProtobufEncoding }
    }
    context = SessionContext(hub, options, counters)
  }

  /// Answers a request by a WebSocket that this gateway handles.
  func accept(_ exchange: HTTPExchange, _ socket: WebSocketOptions) {
    let offered = OpeningHandshake.subprotocols(offered: exchange.head)
    let isProtobuf = protobuf != nil && offered.contains(Self.protobufSubprotocol)
    exchange.upgrade(
      to: self, subprotocol: isProtobuf ? Self.protobufSubprotocol : nil, options: socket,
      attachment: SessionHandshake(
        encoding: isProtobuf ? .protobuf : .json, headers: context.options.keptHeaders(of: exchange.head),
        address: exchange.clientAddress.counted))
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func opened(_ connection: WebSocketConnection) {
    let handshake = connection.attachment as? SessionHandshake
    let clientEncoding = handshake?.encoding ?? .json
    let encodings = clientEncoding == .protobuf ? protobuf ?? json : json
    connection.attachment = CentrifugoSession(
      context, encoding: encodings.index(for: connection.compression), clientEncoding: clientEncoding,
      loop: connection.loop, output: connection, headers: handshake?.headers ?? [],
      address: handshake?.address ?? .none)
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    guard let session = session(of: connection) else { return }
    switch (kind, session.clientEncoding) {
    case (.binary, .json):
      connection.close(code: .unsupportedData, reason: "The JSON protocol has text messages only.")
    case (.text, .protobuf):
      connection.close(code: .unsupportedData, reason: "The Protobuf protocol has binary messages only.")
    default: session.received(message)
    }
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public override func drained(_ connection: WebSocketConnection) {
    session(of: connection)?.drained()
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

/// A session's way out through its WebSocket. The two hold each other until the connection is closed.
extension WebSocketConnection: CentrifugoOutput {
  func send(_ message: [UInt8], as encoding: ClientEncoding) -> Bool {
    message.withUnsafeBytes { send($0, encoding == .json ? .text : .binary) }
  }

  func send(frame: SharedBytes) -> Bool {
    // What goes out is compressed with the connection's own context, or not here.
    compression?.sendsWithContext == true ? send(messageOf: frame) : send(prepared: frame)
  }

  func close(_ disconnect: Disconnect) {
    let code = disconnect.isSilent ? .normal : CloseCode(rawValue: disconnect.code)
    close(code: code, reason: disconnect.reason)
  }
}
