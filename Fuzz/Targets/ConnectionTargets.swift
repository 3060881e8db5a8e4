import HTTPCore
import Transport

@testable import EventLoops
@testable import WebSockets

let connectionTargets = [
  FuzzTarget("connection-server") { try checkServer(Pieces($0)) },
  FuzzTarget("connection-client") { try checkClient(Pieces($0)) },
]

/// Whatever a client sends: its connection is gone when it has ended, and nothing of it is left.
private func checkServer(_ input: Pieces) throws {
  let network = SimulatedNetwork()
  let loop = network.makeLoop()
  var options = HTTPServerOptions()
  options.limits = HTTPLimits(
    maximumHeadBytes: 1_024, maximumStartLineBytes: 256, maximumFieldCount: 16, maximumBodyBytes: 512)
  let registry = ConnectionRegistry(loop: loop, options: options)
  let service = EchoService()
  let listener = try LoopListener.start(loop, .loopback(port: 9_000)) { _ in
    HTTPServerConnection(service: service, registry: registry)
  }.get()
  listener.resume()
  guard let client = network.connect(to: listener.address) else {
    throw BrokenProperty(description: "nobody listens")
  }
  network.runUntilIdle()
  var received = 0
  for piece in input.cut {
    client.send(piece)
    network.runUntilIdle()
    received += client.takeReceived().count
  }
  // An answer of the server's own has some hundred bytes, an echo at most what was sent and a head.
  try hold(received <= 1_024 * (1 + input.stream.count), "what is answered is bounded")
  client.end()
  network.advance(milliseconds: 200_000)
  try equal(registry.count, 0, "connections that are left")
  try equal(loop.timers.count, 0, "timers that are left")
  try equal(service.open, 0, "handlers that were not told of the end")
  listener.close()
}

/// Whatever a server answers: the client's completion is called once, and its handler told of the end.
private func checkClient(_ input: Pieces) throws {
  let network = SimulatedNetwork()
  let loop = network.makeLoop()
  let address = SocketAddress.loopback(port: 9_000)
  var server: SimulatedSocket?
  network.connectScripts[address] = .succeeds { server = $0 }
  let key = "dGhlIHNhbXBsZSBub25jZQ=="
  let handler = EchoHandler()
  var results: [Bool] = []
  let options = WebSocketClientOptions()
  let handshake = ClientHandshake(
    try ClientRequest(to: "ws://127.0.0.1:9000/", options: options, key: key), options: options,
    handler: handler, timeoutMilliseconds: 10_000
  ) { outcome in
    if case .open = outcome { results.append(true) } else { results.append(false) }
  }
  Connector.connect(loop: loop, to: address, handler: handshake) { _ in }
  network.runUntilIdle()
  guard let server else { throw BrokenProperty(description: "nobody connects") }
  try hold(server.takeReceived().starts(with: "GET / HTTP/1.1\r\n".utf8), "the request")
  for piece in input.cut {
    server.send(piece)
    network.runUntilIdle()
  }
  server.end()
  network.advance(milliseconds: 200_000)
  try equal(results.count, 1, "calls of the completion")
  try equal(handler.opened, results == [true] ? 1 : 0, "calls of opened")
  try equal(handler.closed, handler.opened, "calls of closed")
  try equal(loop.timers.count, 0, "timers that are left")
}

private final class EchoService: HTTPService, @unchecked Sendable {
  private let handlers = Handlers()
  var open: Int { handlers.all.reduce(0) { $0 + $1.opened - $1.closed } }

  final class Handlers { var all: [EchoHandler] = [] }

  func handle(_ exchange: HTTPExchange) {
    guard exchange.head.method == .get else {
      exchange.respond(.text(.ok, "\(exchange.body.count)\n"))
      return
    }
    let handler = EchoHandler()
    handlers.all.append(handler)
    var options = WebSocketOptions()
    options.limits = WebSocketLimits(maximumMessageBytes: 1_024, maximumFragmentCount: 6)
    exchange.upgrade(to: handler, options: options)
  }
}

private final class EchoHandler: WebSocketHandler, @unchecked Sendable {
  var opened = 0
  var closed = 0

  override func opened(_ connection: WebSocketConnection) { opened += 1 }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    connection.send(message, kind)
  }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) { closed += 1 }
}
