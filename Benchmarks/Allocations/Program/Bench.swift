import CAllocationCounter
import Dispatch
import EventLoops
import WebSockets

/// One loop, and what it allocates between two moments.
struct Bench {
  let group: EventLoopGroup
  let server: HTTPServer
  let tasks: HTTPServer
  let audience = Audience()
  var loop: EventLoop { group.loops[0] }

  init(_ driver: EventLoopDriver) async throws {
    group = EventLoopGroup(loops: 1, driver: driver)
    var options = WebSocketOptions()
    options.compression = DeflateOptions(minimumBytes: 0)
    server = try await HTTPServer.start(
      group: group, host: "127.0.0.1", port: 0, service: EchoService(options, audience))
    tasks = try await WebSocketServer(port: 0, group: group).start { _ in
      .accept { socket in for try await message in socket { try await socket.send(message) } }
    }
  }

  /// Runs on the loop and waits.
  @discardableResult
  func onLoop<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
    let done = DispatchSemaphore(value: 0)
    nonisolated(unsafe) var result: Result?
    loop.execute {
      result = body()
      done.signal()
    }
    done.wait()
    guard let result else { fatalError("the loop has ended") }
    return result
  }

  /// Prints what the loop allocates for each of `units` things that an operation does: the difference between few and
  /// many operations, which leaves out what measuring costs.
  func report(_ name: String, units: Int = 1, _ operation: (Int) -> Void) {
    operation(3_000)
    let counts = [1_000, 5_000].map { rounds in
      let before = onLoop { allocations_of_this_thread() }
      operation(rounds)
      return onLoop { allocations_of_this_thread() } - before
    }
    let each = (Double(counts[1]) - Double(counts[0])) / Double(4_000 * units)
    print("\(name)\t\((each * 100).rounded() / 100)")
  }
}

/// The connections of a broadcast. On the loop only.
final class Audience: @unchecked Sendable {
  var connections: [WebSocketConnection] = []
}

/// Echoes on every path, except that clients of `/listen` only join the audience.
final class EchoService: HTTPService {
  private let options: WebSocketOptions
  private let audience: Audience

  init(_ options: WebSocketOptions, _ audience: Audience) {
    self.options = options
    self.audience = audience
  }

  func handle(_ exchange: HTTPExchange) {
    let listens = exchange.head.path == "/listen"
    exchange.upgrade(to: listens ? ListeningHandler(audience) : EchoingHandler(), options: options)
  }
}

final class EchoingHandler: WebSocketHandler {
  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    connection.send(message, kind)
  }
}

final class ListeningHandler: WebSocketHandler {
  private let audience: Audience

  init(_ audience: Audience) {
    self.audience = audience
    super.init()
  }

  override func opened(_ connection: WebSocketConnection) { audience.connections.append(connection) }
}
