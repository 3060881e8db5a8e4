import EventLoops
import HTTPCore
import WebSocketCore
import WebSockets

/// `martlet echo`
enum EchoCommand: Command {
  private static let port = Flag(
    "port", .integer("PORT", in: 0...65_535), default: "9001", help: "port to listen on; 0 takes a free one")
  private static let loops = Flag(
    "loops", .integer("N", in: 1...1_024), default: "one per core", help: "event loops (threads)")
  private static let maximumMessage = Flag(
    "max-message", .bytes(in: 1...1 << 30), default: "1MiB",
    help: "largest message; a larger one ends the connection with 1009")
  private static let maximumFragments = Flag(
    "max-fragments", .integer("N", in: 0...1 << 30), default: "1024",
    help: "most fragments of a message; more end the connection with 1008; 0 means no limit")

  private static let deflate = Switch(
    "deflate", help: "compress messages (permessage-deflate) for clients that offer it")

  private static let stream = Switch(
    "stream", help: "send messages back piece by piece as they arrive: of any size, in constant memory")

  private static let tasks = Switch(
    "tasks", help: "serve each connection by a task with async/await, in the place of a handler")

  private static let subprotocol = Flag(
    "subprotocol", .text("NAME"), repeatable: true,
    help: "speak this subprotocol with clients that offer it")

  static let description = CommandDescription(
    name: "echo", summary: "Run a WebSocket server that sends every message back",
    discussion: [
      "For trying out clients, for conformance tests and for measuring. Every path is a WebSocket, from every"
        + " origin. SIGTERM or Ctrl-C closes the connections with 1001."
    ],
    flags: [
      ListeningFlags.host, port, loops, DriverFlag.forEcho, maximumMessage, maximumFragments, subprotocol,
      deflate, stream, tasks,
      ListeningFlags.trustedProxy,
      ListeningFlags.proxyProtocol,
      ServerTLS.certificate, ServerTLS.key, ServerTLS.clientAuthorities,
    ],
    examples: [
      .init(purpose: "Start it, and talk to it from a second terminal.", line: "martlet echo"),
      .init(
        purpose: "On every network, on a port of your own, for large messages.",
        line: "martlet echo --host 0.0.0.0 --port 9100 --max-message 16MiB"),
      .init(purpose: "For messages of any size.", line: "martlet echo --stream"),
    ])

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    Machine.raiseFileLimit()
    let termination = Termination()
    let place = ListeningPlace(
      host: arguments.value(ListeningFlags.host) ?? "127.0.0.1", port: arguments.value(port) ?? 9_001,
      environment: Program.environment())
    let httpOptions = try httpOptions(arguments)
    let largest = arguments.value(maximumMessage) ?? 1 << 20
    let fragments = arguments.value(maximumFragments) ?? 1_024
    let options = WebSocketOptions(
      limits: WebSocketLimits(
        maximumMessageBytes: largest, maximumFragmentCount: fragments == 0 ? .max : fragments),
      compression: arguments.has(deflate) ? .standard : nil,
      delivery: arguments.has(stream) ? .fragments : .whole,
      // Room for the largest message on its way out while the next one is on its way in.
      maximumQueuedBytes: 2 * largest + (1 << 20))
    let group = DriverFlag.group(
      loops: arguments.value(loops) ?? Machine.coreCount, arguments.value(DriverFlag.forEcho) ?? .automatic)
    let service = EchoService(
      options, subprotocols: try subprotocols(arguments), usesTasks: arguments.has(tasks))
    let server = try await place.start(group: group, options: httpOptions, service: service)
    if let context = httpOptions.tls { ServerTLS.reloadAtHangup(context) }
    Terminal.line("listening on \(place.url(scheme: httpOptions.tls == nil ? "ws" : "wss", server))")
    ServiceManager.notifyReady()
    await termination.wait()
    ServiceManager.notifyStopping()
    await server.shutdown(code: .goingAway, graceMilliseconds: 2_000)
    return .success
  }

  private static func subprotocols(_ arguments: Arguments) throws(Problem) -> [String] {
    let names = arguments.allValues(subprotocol)
    for name in names where name.isEmpty || !name.utf8.allSatisfy(ASCII.isToken) {
      throw .usage("--subprotocol \(quoted(name)) is not a token: letters, digits and !#$%&'*+-.^_`|~")
    }
    return names
  }

  private static func httpOptions(_ arguments: Arguments) throws(Problem) -> HTTPServerOptions {
    var options = HTTPServerOptions()
    options.trustedProxies = arguments.allValues(ListeningFlags.trustedProxy)
    options.listener.proxyProtocol = arguments.value(ListeningFlags.proxyProtocol) ?? .off
    if options.listener.proxyProtocol != .off, options.trustedProxies.isEmpty {
      throw .usage("--proxy-protocol needs --trusted-proxy: whose header is believed")
    }
    var tls = ServerTLS.Settings()
    ServerTLS.apply(arguments, to: &tls)
    options.tls = try ServerTLS.context(tls)
    return options
  }
}

/// Upgrades every request.
private final class EchoService: HTTPService {
  private let options: WebSocketOptions
  private let subprotocols: [String]
  private let usesTasks: Bool

  init(_ options: WebSocketOptions, subprotocols: [String], usesTasks: Bool) {
    self.options = options
    self.subprotocols = subprotocols
    self.usesTasks = usesTasks
  }

  func handle(_ exchange: HTTPExchange) {
    // RFC 6455 §4.1: the client's order is its preference. Who offers nothing that is spoken here has none.
    let offered = subprotocols.isEmpty ? [] : OpeningHandshake.subprotocols(offered: exchange.head)
    let subprotocol = offered.first(where: subprotocols.contains)
    guard usesTasks else {
      return exchange.upgrade(to: EchoHandler.shared, subprotocol: subprotocol, options: options)
    }
    exchange.accept(subprotocol: subprotocol, options: options) { socket in
      for try await message in socket { try await socket.send(message) }
    }
  }
}

/// Sends back what comes; reads no more while the peer does not take it.
private final class EchoHandler: WebSocketHandler, @unchecked Sendable {
  /// It remembers nothing: one does for all connections of all loops.
  static let shared = EchoHandler()
  private static let highWatermark = 256 << 10

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    connection.send(message, kind)
    if connection.isBackedUp(beyond: Self.highWatermark) { connection.pauseReading() }
  }

  override func receivedFragment(
    _ fragment: UnsafeRawBufferPointer, _ kind: MessageKind, isFirst: Bool, isFinal: Bool,
    on connection: WebSocketConnection
  ) {
    if isFirst { connection.beginMessage(kind) }
    connection.sendFragment(fragment, isFinal: isFinal)
    if connection.isBackedUp(beyond: Self.highWatermark) { connection.pauseReading() }
  }

  override func drained(_ connection: WebSocketConnection) { connection.resumeReading() }
}
