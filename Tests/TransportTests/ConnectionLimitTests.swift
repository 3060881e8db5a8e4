import EventLoops
import Synchronization
import Testing

@testable import Transport

/// A listener on a simulated loop with options, and clients of it by address.
struct SimulatedListener {
  let network = SimulatedNetwork()
  let loop: EventLoop
  let listener: LoopListener
  let connections = Made()

  final class Made {
    var all: [Connection] = []
    var bytes: [UInt8] = []
    var open: [Connection] { all.filter { !$0.isClosed } }
  }

  init(_ change: (inout ListenerOptions) -> Void) throws {
    loop = network.makeLoop()
    var options = ListenerOptions()
    options.refusalAnswer = { Array("refused \($0)".utf8) }
    change(&options)
    nonisolated(unsafe) let connections = connections
    listener = try LoopListener.start(loop, .loopback(port: 9), options) { _ in
      // Weak: connections hold their handlers.
      let handler = ScriptedHandler()
      handler.onConnected = { [weak connections] in connections?.all.append($0) }
      handler.onReceived = { [weak connections] bytes, _ in connections?.bytes += bytes }
      return handler
    }.get()
    listener.resume()
  }

  func connect(_ from: String = "127.0.0.1") throws -> SimulatedSocket {
    let source = from == "unix" ? SocketAddress.unix("") : try #require(SocketAddress(literal: from, port: 7))
    let socket = try #require(network.connect(to: .loopback(port: 9), from: source))
    network.runUntilIdle()
    return socket
  }

  func answer(to socket: SimulatedSocket) -> String { String(decoding: socket.takeReceived(), as: UTF8.self) }
}

@Suite struct ConnectionLimitTests {
  @Test func connectionsBeyondTheTotalAreTurnedAway() throws {
    let server = try SimulatedListener { $0.maximumConnections = 2 }
    let first = try server.connect()
    _ = try server.connect()
    #expect(server.connections.open.count == 2)
    let third = try server.connect()
    #expect(server.connections.all.count == 2)
    #expect(server.answer(to: third) == "refused tooManyConnections" && third.endReceived)
    #expect(server.listener.options.counters.overTotal.load(ordering: .relaxed) == 1)
    first.end()
    server.network.runUntilIdle()
    _ = try server.connect()
    #expect(server.connections.open.count == 2)
    #expect(server.listener.admission?.count == 2)
  }

  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
    ("::ffff:192.0.2.1", "192.0.2.1", true),
    ("2001:db8::1", "2001:db8::ffff:0:0:9", true), ("2001:db8::1", "2001:db8:0:1::1", false),
    ("unix", "unix", false),
  ])
  func connectionsAreCountedByAddress(first: String, second: String, isSame: Bool) throws {
    let server = try SimulatedListener { $0.maximumConnectionsPerAddress = 1 }
    let one = try server.connect(first)
    let two = try server.connect(second)
    #expect(server.connections.open.count == (isSame ? 1 : 2))
    #expect(server.answer(to: two) == (isSame ? "refused tooManyFromAddress" : ""))
    #expect(server.listener.options.counters.overAddress.load(ordering: .relaxed) == (isSame ? 1 : 0))
    one.end()
    server.network.runUntilIdle()
    _ = try server.connect(second)
    #expect(server.connections.open.count == (second == "unix" ? 2 : 1))
  }

  @Test func nothingIsRememberedOfAddressesThatAreGone() throws {
    let server = try SimulatedListener {
      $0.maximumConnectionsPerAddress = 2
      $0.maximumConnections = 1_000
    }
    for index in 0..<300 {
      let socket = try server.connect("10.0.\(index / 100).\(index % 100)")
      if index % 2 == 0 { socket.end() } else { socket.reset() }
      server.network.runUntilIdle()
    }
    #expect(server.listener.admission?.addressCount == 0)
    #expect(server.listener.admission?.count == 0)
  }

  @Test func trustedProxiesAreNotCountedByAddress() throws {
    let server = try SimulatedListener {
      $0.maximumConnectionsPerAddress = 1
      $0.trustedProxies = [AddressRange("10.0.0.0/8")].compactMap { $0 }
    }
    for _ in 0..<3 { _ = try server.connect("10.0.0.1") }
    #expect(server.connections.open.count == 3)
  }

  @Test func aConnectionTurnedAwayIsGoneAfterASecond() throws {
    let server = try SimulatedListener { $0.maximumConnections = 0 }
    let socket = try server.connect()
    server.network.advance(milliseconds: 999)
    #expect(socket.error == 0)
    server.network.advance(milliseconds: 1)
    #expect(socket.error != 0)
    // Its bytes are thrown away, but not for ever.
    let loud = try server.connect()
    loud.send([UInt8](repeating: 0, count: 65_536))
    server.network.runUntilIdle()
    #expect(loud.error == 0)
    loud.send([0])
    server.network.runUntilIdle()
    #expect(loud.error != 0)
  }

  @Test func aFloodOfConnectionsTurnedAwayIsNotAnswered() throws {
    let server = try SimulatedListener { $0.maximumConnections = 0 }
    let sockets = try (0..<66).map { _ in try server.connect() }
    #expect(sockets.map { server.answer(to: $0) }.count { $0.isEmpty } == 2)
    #expect(sockets.count { $0.error != 0 } == 2)
    server.network.advance(milliseconds: 1_000)
    #expect(server.answer(to: try server.connect()) == "refused tooManyConnections")
  }
}
