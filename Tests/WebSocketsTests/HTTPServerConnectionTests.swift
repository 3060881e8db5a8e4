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
}
