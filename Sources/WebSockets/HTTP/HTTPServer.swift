import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// An HTTP/1.1 server whose connections may become WebSockets: one listener a loop on the same port.
public final class HTTPServer: Sendable {
  /// The loops that serve.
  public let group: EventLoopGroup
  private let listener: Listener
  private let registries: [ConnectionRegistry]

  init(group: EventLoopGroup, listener: Listener, registries: [ConnectionRegistry]) {
    self.group = group
    self.listener = listener
    self.registries = registries
  }

  /// The TCP port that it listens on; 0 for a Unix socket.
  public var port: UInt16 { listener.port ?? 0 }

  /// The addresses that it listens on.
  public var addresses: [SocketAddress] { listener.addresses }

  /// How many connections are open, WebSockets included.
  public func connectionCount() async -> Int {
    var count = 0
    for registry in registries { count += await registry.onLoop { $0.count } }
    return count
  }

  /// Stops accepting, ends the connections politely and waits until they are gone.
  ///
  /// - Parameters:
  ///   - code: the close code that WebSockets are sent.
  ///   - reason: the reason beside it.
  ///   - spreadMilliseconds: the time over which the closes are spread, so that clients do not all come back at once.
  ///   - graceMilliseconds: the time that connections then have to end by themselves before they are cut.
  public func shutdown(
    code: CloseCode = .goingAway, reason: String = "", spreadMilliseconds: UInt64 = 0,
    graceMilliseconds: UInt64 = 5_000
  ) async {
    listener.stopAccepting()
    await withTaskGroup(of: Void.self) { tasks in
      for registry in registries {
        tasks.addTask {
          let drain = RegistryDrain(
            registry: registry, code: code, reason: reason, spread: spreadMilliseconds,
            grace: graceMilliseconds)
          await drain.run()
        }
      }
    }
  }
}

extension ConnectionRegistry {
  /// Reads something on the registry's loop.
  func onLoop<T: Sendable>(_ body: @escaping @Sendable (ConnectionRegistry) -> T) async -> T {
    await withCheckedContinuation { continuation in
      loop.execute { continuation.resume(returning: body(self)) }
    }
  }
}
