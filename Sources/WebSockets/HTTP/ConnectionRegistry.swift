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
  private var connections: [any ServedConnection] = []

  init(loop: EventLoop, options: HTTPServerOptions) {
    self.loop = loop
    self.options = options
    counters = options.counters
    trustsProxies = options.forwardedFields != .none && !options.trustedProxies.isEmpty
  }

  var count: Int { connections.count }
  var all: [any ServedConnection] { connections }

  func insert(_ connection: any ServedConnection) {
    connection.registryIndex = UInt32(clamping: connections.count)
    connections.append(connection)
  }

  /// Moves the last connection into the place of the one that leaves.
  func remove(_ connection: any ServedConnection) {
    let index = Int(connection.registryIndex)
    guard index < connections.count, connections[index] === connection else { return }
    let last = connections.removeLast()
    guard last !== connection else { return }
    last.registryIndex = UInt32(clamping: index)
    connections[index] = last
  }
}
