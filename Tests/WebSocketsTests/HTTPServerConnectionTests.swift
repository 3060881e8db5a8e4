import EventLoops
import Testing

@testable import WebSockets

/// Answers with as many bytes as the path says, and counts the requests.
private final class SizedService: HTTPService, @unchecked Sendable {
  var requests = 0

  func handle(_ exchange: HTTPExchange) {
    requests += 1
    let count = Int(exchange.head.path.dropFirst()) ?? 0
    exchange.respond(
      HTTPResponse(status: .ok, body: SharedBytes.make(copying: [UInt8](repeating: 120, count: count))))
  }
}

/// A server's HTTP connection on the simulated network.
@Suite struct HTTPServerConnectionTests {
  private func requests(_ sizes: Int...) -> [UInt8] {
    sizes.flatMap { Array("GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n".utf8) }
  }

  @Test func aResponseMayBeLargerThanAnyQueue() throws {
    let server = try SimulatedServer(SizedService())
    let client = try server.connect()
    client.other?.writePieceByteCount = 10_000
    client.send(requests(3 << 20))
    server.network.runUntilIdle()
    #expect(client.takeReceived().count { $0 == 120 } == 3 << 20)
  }

  @Test(arguments: [(65_000, 2), (66_000, 1)])
  func furtherRequestsWaitForTheClientToTakeTheResponse(size: Int, handled: Int) throws {
    let service = SizedService()
    let server = try SimulatedServer(service)
    let client = try server.connect()
    client.other?.writeWindow = 0
    client.send(requests(size, 66_000, 1, 2))
    server.network.runUntilIdle()
    #expect(service.requests == handled)
    client.other?.writeWindow = nil
    server.network.runUntilIdle()
    #expect(service.requests == 4)
    #expect(client.takeReceived().suffix(2) == [120, 120])
  }

  @Test func aClientThatNeverTakesItsResponseIsCut() throws {
    let server = try SimulatedServer(SizedService(), options: HTTPServerOptions(idleTimeoutMilliseconds: 500))
    let client = try server.connect()
    client.other?.writeWindow = 0
    client.send(requests(100_000))
    server.network.advance(milliseconds: 499)
    #expect(server.registry.count == 1)
    server.network.advance(milliseconds: 1)
    #expect(server.registry.count == 0)
    #expect(server.count(of: "slow_consumers") == 1)
  }

  @Test(arguments: [
    "GET /100000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET /100000 HTTP/1.0\r\n\r\n",
  ])
  func aSlowClientGetsAllOfTheLastResponse(request: String) throws {
    let server = try SimulatedServer(SizedService())
    let client = try server.connect()
    client.other?.writeWindow = 50_000
    client.send(Array(request.utf8))
    server.network.advance(milliseconds: 10_000)
    client.other?.writeWindow = nil
    server.network.runUntilIdle()
    #expect(client.takeReceived().count { $0 == 120 } == 100_000)
  }

  @Test func aClientThatHasEndedItsSideGetsAllOfTheResponse() throws {
    let server = try SimulatedServer(SizedService())
    let client = try server.connect()
    client.other?.writeWindow = 0
    client.send(requests(30_000))
    server.network.runUntilIdle()
    client.end()
    server.network.advance(milliseconds: 10_000)
    client.other?.writeWindow = nil
    server.network.runUntilIdle()
    #expect(client.takeReceived().count { $0 == 120 } == 30_000)
  }

  @Test func theBeginningOfAFurtherRequestHasTheTimeOfARequest() throws {
    let server = try SimulatedServer(
      SizedService(), options: HTTPServerOptions(requestTimeoutMilliseconds: 500))
    let client = try server.connect()
    client.send(requests(1) + Array("GET / HT".utf8))
    server.network.runUntilIdle()
    _ = client.takeReceived()
    server.network.advance(milliseconds: 500)
    #expect(String(decoding: client.takeReceived(), as: UTF8.self).hasPrefix("HTTP/1.1 408 "))
  }

  /// RFC 9112 §C.2.2: such a client keeps the connection only where it is told so.
  @Test func aClientOfHTTP10IsToldThatItsConnectionIsKept() throws {
    let server = try SimulatedServer(SizedService())
    let client = try server.connect()
    client.send(Array("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".utf8))
    server.network.runUntilIdle()
    #expect(String(decoding: client.takeReceived(), as: UTF8.self).contains("\r\nConnection: keep-alive\r\n"))
  }
}
