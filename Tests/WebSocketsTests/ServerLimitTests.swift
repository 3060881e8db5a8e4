import EventLoops
import Testing
import Transport

@testable import WebSockets

/// Answers every request with its client.
private final class ClientService: HTTPService {
  func handle(_ exchange: HTTPExchange) {
    exchange.respond(.text(.ok, "\(exchange.clientAddress.host) \(exchange.isSecure)"))
  }
}

@Suite struct ServerLimitTests {
  private func withoutDate(_ socket: SimulatedSocket) -> String {
    String(decoding: socket.takeReceived(), as: UTF8.self).split(
      separator: "\r\n", omittingEmptySubsequences: false
    )
    .filter { !$0.hasPrefix("Date: ") }.joined(separator: "\r\n")
  }

  @Test func beyondTheTotalClientsAreToldToComeBack() throws {
    var options = HTTPServerOptions()
    options.listener.maximumConnections = 1
    let server = try SimulatedServer(ClientService(), options: options)
    _ = try server.connect()
    #expect(
      withoutDate(try server.connect())
        == "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 48\r\n"
        + "Retry-After: 5\r\nConnection: close\r\n\r\nThe server has as many connections as it takes.\n")
    #expect(options.counters.values.first { $0.name == "connections_refused" }?.value == 1)
  }

  @Test func beyondTheLimitOfAnAddress() throws {
    var options = HTTPServerOptions()
    options.listener.maximumConnectionsPerAddress = 1
    let server = try SimulatedServer(ClientService(), options: options)
    _ = try server.connect()
    let refused = withoutDate(try server.connect())
    #expect(
      refused.hasPrefix("HTTP/1.1 429 Too Many Requests\r\n") && refused.contains("\r\nRetry-After: 5\r\n"))
    #expect(options.counters.values.first { $0.name == "connections_refused_by_address" }?.value == 1)
  }

  @Test func aWebSocketStaysCounted() throws {
    var options = HTTPServerOptions()
    options.listener.maximumConnections = 1
    let handler = RecordingHandler()
    let server = try SimulatedServer(SocketService { handler }, options: options)
    let socket = try server.connectWebSocket()
    #expect(withoutDate(try server.connect()).hasPrefix("HTTP/1.1 503 "))
    socket.end()
    server.network.runUntilIdle()
    _ = try server.connectWebSocket()
  }

  @Test func theClientIsTheOneThatTheProxyNames() throws {
    var options = HTTPServerOptions()
    options.trustedProxies = [AddressRange("127.0.0.1")].compactMap { $0 }
    options.listener.proxyProtocol = .optional
    let server = try SimulatedServer(ClientService(), options: options)
    let client = try server.connect()
    client.send(
      Array(
        ("PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.9\r\n"
          + "X-Forwarded-Proto: https\r\n\r\n").utf8))
    server.network.runUntilIdle()
    #expect(withoutDate(client).hasSuffix("\r\n\r\n192.0.2.9 true"))
  }

  /// Thousands of clients that send a byte each second hold little, are cut after the deadline, and keep nobody out.
  @Test func slowClientsAreCutAndOthersAreServed() throws {
    let options = HTTPServerOptions()
    let server = try SimulatedServer(ClientService(), options: options)
    let request = Array("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".utf8)
    let slow = try (0..<2_000).map { index in
      let socket = try #require(server.network.connect(to: .loopback(port: 9_000)))
      // Half of them in the head, half in the body.
      socket.send(index % 2 == 0 ? request.prefix(1) : request[...])
      return socket
    }
    server.network.runUntilIdle()
    #expect(server.registry.count == 2_000)
    for second in 1...9 {
      for (index, socket) in slow.enumerated() { socket.send([index % 2 == 0 ? request[second] : 65]) }
      server.network.advance(milliseconds: 1_000)
    }
    let client = try server.connect()
    client.send(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
    server.network.runUntilIdle()
    #expect(withoutDate(client).hasPrefix("HTTP/1.1 200 OK\r\n"))
    server.network.advance(milliseconds: 1_000)
    #expect(server.registry.count <= 2_001)
    #expect(slow.allSatisfy { withoutDate($0).hasPrefix("HTTP/1.1 408 ") })
    server.network.advance(milliseconds: 2_000)
    #expect(server.registry.count == 1)
  }
}
