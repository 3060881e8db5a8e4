import EventLoops
import Testing

@testable import WebSockets

/// Keeps its requests until the test answers them.
private final class PatientService: HTTPService, @unchecked Sendable {
  var exchanges: [HTTPExchange] = []

  func handle(_ exchange: HTTPExchange) { exchanges.append(exchange) }
}

/// Stops reading at each message.
private final class PausingHandler: WebSocketHandler, @unchecked Sendable {
  var messages: [String] = []
  var connection: WebSocketConnection?

  override func opened(_ connection: WebSocketConnection) { self.connection = connection }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    messages.append(String(decoding: message, as: UTF8.self))
    connection.pauseReading()
  }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    self.connection = nil
  }
}

/// A request that is upgraded some time after it came, with messages behind it.
@Suite struct UpgradeTests {
  @Test func aPauseOfTheHandlerOutlastsTheUpgrade() throws {
    let service = PatientService()
    let handler = PausingHandler()
    let server = try SimulatedServer(service)
    let client = try server.connect()
    client.send(Array(openingRequest.utf8) + clientFrame(0x81, Array("one".utf8)))
    server.network.runUntilIdle()
    service.exchanges.removeLast().upgrade(to: handler)
    server.network.runUntilIdle()
    client.send(clientFrame(0x81, Array("two".utf8)))
    server.network.runUntilIdle()
    #expect(handler.messages == ["one"])
    handler.connection?.resumeReading()
    server.network.runUntilIdle()
    #expect(handler.messages == ["one", "two"])
  }
}
