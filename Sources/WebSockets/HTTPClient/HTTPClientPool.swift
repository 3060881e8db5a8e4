import EventLoops
import HTTPCore
import Transport

/// The connections to one origin. Loop-confined.
final class HTTPClientPool {
  let origin: HTTPOrigin
  let client: HTTPClient
  /// Those without a request; the one that was used last is the last, and the next.
  private var idle: [HTTPClientConnection] = []
  private var all: [ObjectIdentifier: HTTPClientConnection] = [:]
  private var waiting: [HTTPClientCall] = []

  init(_ origin: HTTPOrigin, of client: HTTPClient) {
    self.origin = origin
    self.client = client
  }

  var loop: EventLoop { client.loop }
  var options: HTTPClientOptions { client.options }
  var connectionCount: Int { all.count }

  func submit(_ call: HTTPClientCall) {
    if let connection = idle.popLast() { return connection.take(call) }
    if all.count < options.maximumConnectionsPerHost { return open(for: call) }
    guard waiting.count < options.maximumWaitingPerHost else {
      return call.fail(.tooManyRequests, "\(waiting.count) requests to \(origin.host) wait already.")
    }
    waiting.append(call)
  }

  /// A call that waited is over.
  func withdraw(_ call: HTTPClientCall) {
    waiting.removeAll { $0 === call }
  }

  /// The connection can take a further request.
  func free(_ connection: HTTPClientConnection) {
    if waiting.isEmpty {
      idle.append(connection)
      connection.rest()
    } else {
      connection.take(waiting.removeFirst())
    }
  }

  /// The connection is gone; `call` is to be sent again.
  func ended(_ connection: HTTPClientConnection, repeating call: HTTPClientCall?) {
    all[ObjectIdentifier(connection)] = nil
    idle.removeAll { $0 === connection }
    if let call {
      open(for: call)
    } else if !waiting.isEmpty, all.count < options.maximumConnectionsPerHost {
      open(for: waiting.removeFirst())
    }
    if all.isEmpty, waiting.isEmpty { client.forget(self) }
  }

  func close() {
    let calls = waiting
    waiting = []
    for call in calls { call.fail(.closed, "The client was closed.") }
    for connection in all.values { connection.abandon() }
  }

  private func open(for call: HTTPClientCall) {
    let connection = HTTPClientConnection(of: self)
    all[ObjectIdentifier(connection)] = connection
    connection.open(for: call)
  }
}
