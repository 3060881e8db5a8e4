import EventLoops
import Testing

@testable import WebSockets

/// What waits for messages, seen from inside.
@Suite(.timeLimit(.minutes(5))) struct WebSocketInboxTests {
  private func wait(_ inbox: WebSocketInbox, then: (UInt64) -> Void) async -> WebSocketMessage? {
    let result = await withUnsafeContinuation { waiter in
      let ticket = inbox.makeTicket()
      inbox.take(waiter, ticket: ticket)
      then(ticket)
    }
    guard case .message(let message)? = try? result.get() else { return nil }
    return message
  }

  @Test func aCancellationThatComesLateEndsNoOtherWait() async throws {
    let handler = WebSocketInbox(highWatermark: 1_000)
    let server = try SimulatedServer(SocketService { handler })
    let client = try server.connectWebSocket()
    var first: UInt64 = 0
    let one = await wait(handler) {
      first = $0
      client.send(clientFrame(0x81, [65]))
      server.network.runUntilIdle()
    }
    #expect(one == .text("A"))
    let two = await wait(handler) { _ in
      handler.cancelWaiter(ticket: first)
      client.send(clientFrame(0x81, [66]))
      server.network.runUntilIdle()
    }
    #expect(two == .text("B"))
    #expect(await wait(handler) { handler.cancelWaiter(ticket: $0) } == nil)
  }
}
