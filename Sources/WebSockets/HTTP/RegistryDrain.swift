import EventLoops
import WebSocketCore

/// Ends the connections of one loop over a time, then cuts those that remain.
final class RegistryDrain: @unchecked Sendable {
  /// The closes are spread in steps of this many milliseconds.
  private static let stepMilliseconds: UInt64 = 50

  private let registry: ConnectionRegistry
  private let code: CloseCode
  private let reason: String
  private let spread: UInt64
  private let grace: UInt64
  private var waiting: [any ServedConnection] = []
  private var perStep = 0
  private var cutAt: UInt64 = 0

  init(registry: ConnectionRegistry, code: CloseCode, reason: String, spread: UInt64, grace: UInt64) {
    self.registry = registry
    self.code = code
    self.reason = reason
    self.spread = spread
    self.grace = grace
  }

  func run() async {
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      registry.loop.execute { self.start { done.resume() } }
    }
  }

  /// On the registry's loop; calls back when no connection is left.
  func start(_ done: @escaping @Sendable () -> Void) {
    registry.isDraining = true
    waiting = registry.all
    let steps = Int(clamping: spread / Self.stepMilliseconds) + 1
    perStep = (waiting.count + steps - 1) / steps
    cutAt = registry.loop.nowMilliseconds + spread + grace
    step(done)
  }

  private func step(_ done: @escaping @Sendable () -> Void) {
    for _ in 0..<min(perStep, waiting.count) { waiting.removeLast().drain(code: code, reason: reason) }
    if registry.count == 0 {
      done()
      return
    }
    if registry.loop.nowMilliseconds >= cutAt {
      for connection in registry.all { connection.abort() }
      done()
      return
    }
    _ = registry.loop.schedule(after: Self.stepMilliseconds) { self.step(done) }
  }
}
