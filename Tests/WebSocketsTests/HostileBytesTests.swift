import EventLoops
import TestRandomness
import Testing

@testable import WebSockets

/// Streams that no client sends: whatever comes, the server answers or closes, serves others, and forgets the
/// connection.
@Suite struct HostileBytesTests {
  private static let valid: [UInt8] =
    Array("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8)
    + Array(openingRequest.utf8) + clientFrame(0x81, Array("hällo".utf8)) + clientFrame(0x01, [65])
    + clientFrame(0x89, [1]) + clientFrame(0x80, [66]) + clientFrame(0x88, [0x03, 0xE8])

  private func stream(_ random: inout SeededRandom) -> [UInt8] {
    if random.next() % 8 == 0 {
      return (0..<random.next() % 200).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
    var bytes = Self.valid
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let index = Int.random(in: 0..<bytes.count, using: &random)
      switch random.next() % 4 {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes.remove(at: index)
      case 2: bytes.insert(contentsOf: bytes[index...].prefix(9), at: index)
      default: bytes[index] ^= 1 << UInt8(random.next() % 8)
      }
    }
    return bytes
  }

  @Test(arguments: 0..<20)
  func serverGoesOn(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let server = try SimulatedServer(EchoOrTell())
    for _ in 0..<100 {
      let client = try server.connect()
      let bytes = stream(&random)
      let split = Int.random(in: 0...bytes.count, using: &random)
      client.send(bytes[..<split])
      server.network.runUntilIdle()
      client.send(bytes[split...])
      server.network.runUntilIdle()
      client.end()
      server.network.runUntilIdle()
    }
    let client = try server.connectWebSocket()
    client.send(clientFrame(0x82, [1, 2, 3]))
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x82, 3, 1, 2, 3])
    client.end()
    // Every connection is forgotten, at the latest when its time to end is over.
    server.network.advance(milliseconds: 100_000)
    #expect(server.registry.count == 0)
  }
}

private final class EchoOrTell: HTTPService {
  func handle(_ exchange: HTTPExchange) {
    if exchange.head.method == .get {
      exchange.upgrade(to: EchoingHandler())
    } else {
      exchange.respond(.text(.ok, "\(exchange.body.count)\n"))
    }
  }
}
