import Bytes
import EventLoops
import WebSocketCore

/// A connection that a server can end.
protocol ServedConnection: AnyObject {
  /// Its place in the registry; kept by the registry.
  var registryIndex: UInt32 { get set }
  /// Ends as its protocol ends politely.
  func drain(code: CloseCode, reason: String)
  /// Ends now.
  func abort()
}

/// The connections of a server on one loop. Loop-confined.
final class ConnectionRegistry: @unchecked Sendable {
  let loop: EventLoop
  /// Those of the server, one copy for all connections of the loop.
  let options: HTTPServerOptions
  let counters: ServerCounters
  /// Whether there are proxies that are believed what they say of their clients.
  let trustsProxies: Bool
  /// Connections that come now came too late: they are ended at once.
  var isDraining = false
  /// The last answer to an opening handshake; its memory serves the next.
  var response = ByteWriter(capacity: 256)
  private var webSockets = Members<WebSocketConnection>()
  private var others = Members<HTTPServerConnection>()

  init(loop: EventLoop, options: HTTPServerOptions) {
    self.loop = loop
    self.options = options
    counters = options.counters
    trustsProxies = options.forwardedFields != .none && !options.trustedProxies.isEmpty
  }

  var count: Int { webSockets.list.count + others.list.count }
  var all: [any ServedConnection] { webSockets.list + others.list }

  func insert(_ connection: WebSocketConnection) { webSockets.insert(connection) }
  func insert(_ connection: HTTPServerConnection) { others.insert(connection) }
  func remove(_ connection: WebSocketConnection) { webSockets.remove(connection) }
  func remove(_ connection: HTTPServerConnection) { others.remove(connection) }
}

/// Connections of one class: a reference to each is one word, and not two as for whatever conforms to a protocol.
private struct Members<Connection: ServedConnection> {
  private(set) var list: [Connection] = []

  mutating func insert(_ connection: Connection) {
    connection.registryIndex = UInt32(clamping: list.count)
    list.append(connection)
  }

  /// Moves the last connection into the place of the one that leaves.
  mutating func remove(_ connection: Connection) {
    let index = Int(connection.registryIndex)
    guard index < list.count, list[index] === connection else { return }
    let last = list.removeLast()
    guard last !== connection else { return }
    last.registryIndex = UInt32(clamping: index)
    list[index] = last
  }
}
