import JSON
import WebSocketCore

@testable import EventLoops
@testable import Gateways
@testable import Realtime
@testable import WebSockets
@testable import martlet

let sessionTargets = [FuzzTarget("centrifugo-session") { try checkSession(Array($0)) }]

/// Whatever two clients of the hub say: they get JSON, both are gone when their connections are, and so is what was
/// held for them.
///
/// Messages are separated by zero bytes. Of a message's first byte the lowest bit says whose it is; a message that
/// begins with `~` lets so many seconds pass as its second byte says, at most 63.
private func checkSession(_ input: [UInt8]) throws {
  let world = SessionNetwork()
  let clients = [try world.connect(), try world.connect()]
  for message in input.split(separator: 0, maxSplits: 200, omittingEmptySubsequences: true) {
    guard let first = message.first else { continue }
    if first == UInt8(ascii: "~") {
      world.advance(seconds: Int(message.dropFirst().first ?? 0) & 63)
    } else {
      let text = String(decoding: message.dropFirst(), as: UTF8.self)
      clients[Int(first & 1)].send(text)
      world.network.runUntilIdle()
    }
    for client in clients { try client.checkReceived() }
  }
  let held = world.hub.shards.reduce(0) { $0 + $1.clients.count }
  try hold(held <= clients.count, "each connection is one client of the hub")
  for client in clients { client.socket.end() }
  world.advance(seconds: 60)
  try equal(world.registry.count, 0, "connections that are left")
  try equal(world.hub.shards.reduce(0) { $0 + $1.clients.count }, 0, "clients that are left")
}

/// A hub on two loops with the protocol's gateway on one of them, on a simulated network.
private final class SessionNetwork {
  let network = SimulatedNetwork()
  let hub: Hub
  let registry: ConnectionRegistry
  private let listener: LoopListener
  private let clock = Clock()

  final class Clock: @unchecked Sendable {
    var seconds: UInt64 = 1_700_000_000
    var identifiers = 0
  }

  init() {
    let loops = [network.makeLoop(), network.makeLoop()]
    var open = NamespaceOptions()
    open.subscribe = .everyone
    open.publish = .everyone
    open.history = .everyone
    open.presence = .everyone
    open.historySize = 3
    open.historyTTLMilliseconds = 20_000
    open.allowsRecovery = true
    open.keepsPresence = true
    open.emitsJoinLeave = true
    open.allowsAcknowledgement = true
    open.maximumUnacknowledgedPublications = 2
    var limits = HubLimits()
    limits.maximumChannelsPerClient = 3
    hub = Hub(
      loops: loops, namespaces: Namespaces(default: nil, named: ["a": open, "b": NamespaceOptions()]),
      limits: limits, encodings: [CentrifugoJSONEncoding()], wallClock: { 0 }, randomBits: { 35 })
    let clock = clock
    var options = CentrifugoOptions(
      now: { clock.seconds },
      makeClientID: {
        clock.identifiers += 1
        return "c\(clock.identifiers)"
      })
    options.tokens = TokenVerifier(secret: "secret", requiresExpiry: false)
    options.allowsAnonymous = true
    options.takesUserFromConnectData = true
    let registry = ConnectionRegistry(loop: loops[0], options: HTTPServerOptions())
    self.registry = registry
    let gateway = CentrifugoGateway(hub: hub, encoding: 0, options: options)
    let service = GatewayService(gateway, RealtimeServerOptions(sessions: options).socket)
    let made = LoopListener.start(loops[0], .loopback(port: 9_000)) { _ in
      HTTPServerConnection(service: service, registry: registry)
    }
    guard case .success(let listener) = made else { fatalError("a simulated port is always free") }
    self.listener = listener
    listener.resume()
  }

  /// Channels and the clients in them hold each other until the clients go.
  deinit {
    listener.close()
    for shard in hub.shards {
      shard.loop.execute { [hub] in for client in shard.clients.values { hub.remove(client) } }
    }
    network.runUntilIdle()
  }

  func connect() throws -> SessionPeer {
    guard let socket = network.connect(to: listener.address) else {
      throw BrokenProperty(description: "nobody listens")
    }
    let peer = SessionPeer(socket)
    network.runUntilIdle()
    let head = String(decoding: socket.takeReceived(), as: UTF8.self)
    try hold(head.hasPrefix("HTTP/1.1 101 "), "the handshake")
    return peer
  }

  func advance(seconds: Int) {
    for _ in 0..<seconds {
      clock.seconds += 1
      network.advance(milliseconds: 1_000)
    }
  }
}

private final class GatewayService: HTTPService {
  private let gateway: CentrifugoGateway
  private let options: WebSocketOptions

  init(_ gateway: CentrifugoGateway, _ options: WebSocketOptions) {
    self.gateway = gateway
    self.options = options
  }

  func handle(_ exchange: HTTPExchange) { exchange.upgrade(to: gateway, options: options) }
}

/// A client's end, which reads what the server says.
private final class SessionPeer {
  let socket: SimulatedSocket
  private var decoder = MessageDecoder(role: .client, limits: WebSocketLimits())

  init(_ socket: SimulatedSocket) {
    self.socket = socket
    socket.send(
      ("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").utf8)
  }

  func send(_ text: String) {
    let payload = Array(text.utf8)
    var frame = [UInt8](
      repeating: 0, count: FrameEncoder.encodedCount(payloadCount: payload.count, masked: true))
    frame.withUnsafeMutableBytes { buffer in
      payload.withUnsafeBytes {
        _ = FrameEncoder.encode(opcode: .text, payload: $0, maskingKey: 0, into: buffer)
      }
    }
    socket.send(frame)
  }

  /// A server's messages are valid, and of JSON texts a line each.
  func checkReceived() throws {
    var received = socket.takeReceived()
    try received.withUnsafeMutableBytes { bytes in
      var input = bytes
      while let event = try decoder.next(&input) {
        switch event {
        case .message(_, let message):
          for line in message.split(separator: UInt8(ascii: "\n")) {
            try JSONText.validate(UnsafeRawBufferPointer(rebasing: line))
          }
        case .close(let code?, _): try hold(code.isSendable, "a close code that may be sent")
        default: break
        }
      }
    }
  }
}
