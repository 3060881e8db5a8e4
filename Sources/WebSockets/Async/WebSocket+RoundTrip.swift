import Bytes
import EventLoops
import WebSocketCore

extension WebSocket {
  /// Sends a ping and waits for its pong.
  ///
  /// - Returns: the time between the two.
  /// - Throws: ``WebSocketError`` `notOpen` if the connection is closing or closed, or ends before the pong.
  public nonisolated(nonsending) func roundTripTime() async throws(WebSocketError) -> Duration {
    let start = ContinuousClock.now
    let hasCome = await withUnsafeContinuation { (waiter: UnsafeContinuation<Bool, Never>) in
      loop.execute { [self] in
        guard connection.isOpen else { return waiter.resume(returning: false) }
        inbox.ping(connection, waiter)
      }
    }
    guard hasCome else { throw WebSocketError(.notOpen, "The connection ended before the pong.") }
    return start.duration(to: .now)
  }
}

/// Pings that somebody waits for: each has a payload of its own (RFC 6455 §5.5.3). Loop-confined.
struct AwaitedPongs {
  typealias Waiter = UnsafeContinuation<Bool, Never>

  private var waiters: [(payload: UInt64, waiter: Waiter)] = []
  private var lastPayload: UInt64 = 0

  /// The payload of the next ping.
  mutating func wait(_ waiter: Waiter) -> UInt64 {
    lastPayload &+= 1
    waiters.append((lastPayload, waiter))
    return lastPayload
  }

  /// A pong answers its ping, and those before it (§5.5.3: an endpoint "MAY elect to send a Pong frame for only the most
  /// recently processed Ping frame").
  mutating func received(_ payload: UnsafeRawBufferPointer) {
    guard payload.count == MemoryLayout<UInt64>.size, !waiters.isEmpty else { return }
    let number = payload.loadUnaligned(as: UInt64.self)
    guard let index = waiters.firstIndex(where: { $0.payload == number }) else { return }
    let answered = waiters[...index]
    waiters.removeSubrange(...index)
    for (_, waiter) in answered { waiter.resume(returning: true) }
  }

  mutating func end() {
    let ended = waiters
    waiters = []
    for (_, waiter) in ended { waiter.resume(returning: false) }
  }
}
