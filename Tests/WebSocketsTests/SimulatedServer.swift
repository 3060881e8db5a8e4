import EventLoops
import Testing
import Transport

@testable import WebSockets

/// A server on a simulated loop, and raw clients of it: no thread, no socket, no real time.
final class SimulatedServer {
  let network = SimulatedNetwork()
  let loop: EventLoop
  let counters: ServerCounters
  let registry: ConnectionRegistry
  private let address: SocketAddress

  init(_ service: any HTTPService, options: HTTPServerOptions = HTTPServerOptions()) throws {
    loop = network.makeLoop()
    counters = options.counters
    let registry = ConnectionRegistry(loop: loop, options: options)
    self.registry = registry
    let listener = try LoopListener.start(loop, .loopback(port: 9_000), options.listenerForHTTP) { _ in
      HTTPServerConnection(service: service, registry: registry)
    }.get()
    listener.resume()
    address = listener.address
  }

  /// A handler may hold its connection, which holds it, until it is told of the end.
  deinit {
    loop.execute { [registry] in for connection in registry.all { connection.abort() } }
    network.runUntilIdle()
  }

  func connect() throws -> SimulatedSocket {
    let socket = try #require(network.connect(to: address))
    network.runUntilIdle()
    return socket
  }

  /// A client whose opening handshake is done.
  func connectWebSocket() throws -> SimulatedSocket {
    let socket = try connect()
    socket.send(Array(openingRequest.utf8))
    network.runUntilIdle()
    let response = String(decoding: socket.takeReceived(), as: UTF8.self)
    #expect(response.hasPrefix("HTTP/1.1 101 ") && response.hasSuffix("\r\n\r\n"))
    return socket
  }

  func count(of name: String) -> UInt64? { counters.values.first { $0.name == name }?.value }
}

/// RFC 6455 §1.3: the handshake's example.
let openingRequest =
  "GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
  + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

/// Upgrades every request to a handler.
final class SocketService: HTTPService {
  private let options: WebSocketOptions
  private let makeHandler: @Sendable () -> WebSocketHandler

  init(
    options: WebSocketOptions = WebSocketOptions(), _ makeHandler: @escaping @Sendable () -> WebSocketHandler
  ) {
    self.options = options
    self.makeHandler = makeHandler
  }

  func handle(_ exchange: HTTPExchange) { exchange.upgrade(to: makeHandler(), options: options) }
}

/// Echoes, and records what happens.
final class RecordingHandler: WebSocketHandler, @unchecked Sendable {
  var events: [String] = []
  var connection: WebSocketConnection?
  var echoes = true

  override func opened(_ connection: WebSocketConnection) {
    self.connection = connection
    events.append("opened")
  }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    events.append(kind == .text ? String(decoding: message, as: UTF8.self) : "\(message.count) bytes")
    if echoes { connection.send(message, kind) }
  }

  override func receivedPong(_ payload: UnsafeRawBufferPointer, on connection: WebSocketConnection) {
    events.append("pong")
  }

  override func drained(_ connection: WebSocketConnection) { events.append("drained") }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    events.append("closed \(code.rawValue) \(reason)")
    self.connection = nil
  }
}

/// A client's frame with a key that changes nothing.
func clientFrame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
  precondition(payload.count < 126)
  return [first, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload
}
