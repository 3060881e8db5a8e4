import EventLoops
import Synchronization
import Testing

@testable import Transport

@Suite struct ProxyListenerTests {
  private func serve(_ setting: ProxyProtocolSetting, perAddress: Int? = nil) throws -> SimulatedListener {
    try SimulatedListener {
      $0.proxyProtocol = setting
      $0.trustedProxies = [AddressRange("10.0.0.0/8"), .unix].compactMap { $0 }
      $0.maximumConnectionsPerAddress = perAddress
    }
  }

  private let header = Array("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n".utf8)
  private let client = SocketAddress.ipv4(0xC000_0207, port: 56_324)

  @Test(arguments: [ProxyProtocolSetting.optional, .required])
  func theHeaderNamesTheClient(setting: ProxyProtocolSetting) throws {
    let server = try serve(setting)
    let socket = try server.connect("10.0.0.1")
    socket.send(header + Array("hello".utf8))
    server.network.runUntilIdle()
    let connection = try #require(server.connections.all.first)
    #expect(connection.peerAddress == client)
    #expect(connection.proxyAddress == SocketAddress(literal: "10.0.0.1", port: 7))
    #expect(server.connections.bytes == Array("hello".utf8))
    socket.send(Array("!".utf8))
    server.network.runUntilIdle()
    #expect(server.connections.bytes == Array("hello!".utf8))
  }

  @Test func theHeaderMayComeByteByByte() throws {
    let server = try serve(.required)
    let socket = try server.connect("unix")
    for byte in header {
      #expect(server.connections.all.isEmpty)
      socket.send([byte])
      server.network.runUntilIdle()
    }
    #expect(server.connections.all.first?.peerAddress == client)
    #expect(server.connections.bytes.isEmpty)
  }

  @Test func aProxySpeaksForItself() throws {
    let server = try serve(.required)
    try server.connect("10.0.0.1").send(Array("PROXY UNKNOWN\r\n".utf8))
    server.network.runUntilIdle()
    #expect(server.connections.all.first?.peerAddress == SocketAddress(literal: "10.0.0.1", port: 7))
  }

  @Test func withoutAHeader() throws {
    let server = try serve(.optional)
    try server.connect("10.0.0.1").send(Array("GET".utf8))
    server.network.runUntilIdle()
    #expect(server.connections.bytes == Array("GET".utf8))
    #expect(server.connections.all.first?.proxyAddress == nil)
    let strict = try serve(.required)
    let socket = try strict.connect("10.0.0.1")
    socket.send(Array("GET".utf8))
    strict.network.runUntilIdle()
    #expect(strict.connections.all.isEmpty && socket.endReceived)
    #expect(strict.listener.options.counters.badProxyHeaders.load(ordering: .relaxed) == 1)
  }

  @Test func strangersAreNotBelieved() throws {
    let server = try serve(.optional)
    try server.connect("11.0.0.1").send(header)
    server.network.runUntilIdle()
    #expect(server.connections.all.first?.peerAddress == SocketAddress(literal: "11.0.0.1", port: 7))
    #expect(server.connections.bytes == header)
    let strict = try serve(.required)
    let socket = try strict.connect("11.0.0.1")
    #expect(strict.connections.all.isEmpty && socket.endReceived)
  }

  @Test func aWrongHeaderEndsTheConnection() throws {
    let server = try serve(.optional)
    let socket = try server.connect("10.0.0.1")
    socket.send(Array("PROXY TCP4 nonsense\r\n".utf8))
    server.network.runUntilIdle()
    #expect(socket.endReceived && server.connections.all.isEmpty)
    #expect(server.listener.options.counters.badProxyHeaders.load(ordering: .relaxed) == 1)
  }

  @Test func aHeaderHasFiveSeconds() throws {
    let server = try serve(.required)
    let socket = try server.connect("10.0.0.1")
    socket.send(header.dropLast())
    server.network.advance(milliseconds: 4_999)
    #expect(!socket.endReceived)
    server.network.advance(milliseconds: 1)
    #expect(socket.endReceived)
    #expect(server.listener.options.counters.badProxyHeaders.load(ordering: .relaxed) == 1)
  }

  @Test func aHealthCheckIsNoWrongHeader() throws {
    let server = try serve(.required)
    try server.connect("10.0.0.1").end()
    server.network.runUntilIdle()
    #expect(server.listener.options.counters.badProxyHeaders.load(ordering: .relaxed) == 0)
  }

  @Test func clientsBehindAProxyAreCountedByTheirOwnAddress() throws {
    let server = try serve(.required, perAddress: 1)
    let sockets = try (0..<2).map { _ in try server.connect("10.0.0.1") }
    for socket in sockets {
      socket.send(header)
      server.network.runUntilIdle()
    }
    #expect(server.connections.open.count == 1)
    #expect(server.answer(to: sockets[1]) == "refused tooManyFromAddress")
    try server.connect("10.0.0.1").send(Array("PROXY TCP4 192.0.2.8 198.51.100.1 1 443\r\n".utf8))
    server.network.runUntilIdle()
    #expect(server.connections.open.count == 2)
  }
}
