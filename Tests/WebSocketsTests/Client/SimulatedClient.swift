import EventLoops
import HTTPCore
import Testing
import Transport
import WebSocketCore

@testable import WebSockets

/// What completions have said; outlives the client.
private final class Outcome: @unchecked Sendable {
  var results: [Result<WebSocketConnection, WebSocketError>] = []
}

/// A client on a simulated loop; the test plays the servers and proxies.
final class SimulatedClient {
  let network = SimulatedNetwork()
  let loop: EventLoop
  let handler = RecordingHandler()
  /// The test's ends of the client's connections, by the address connected to, in order.
  private(set) var peers: [SimulatedSocket] = []
  var results: [Result<WebSocketConnection, WebSocketError>] { outcome.results }
  private let outcome = Outcome()
  private(set) var attempt: WebSocketAttempt?

  init() { loop = network.makeLoop() }

  /// The handler holds its connection, which holds it, until it is told of the end.
  deinit {
    loop.execute { [handler, attempt] in
      attempt?.cancel()
      handler.connection?.abort()
    }
    network.runUntilIdle()
  }

  /// Connections to this address succeed.
  func listen(_ address: SocketAddress) {
    network.connectScripts[address] = .succeeds { [unowned self] in peers.append($0) }
  }

  func connect(_ url: String, _ options: WebSocketClientOptions = WebSocketClientOptions()) {
    let outcome = outcome
    attempt = WebSocketClient.connect(to: url, on: loop, options: options, handler: handler) {
      outcome.results.append($0)
    }
    network.runUntilIdle()
  }

  var error: WebSocketError? {
    if case .failure(let error)? = results.first { error } else { nil }
  }

  var isOpen: Bool {
    if case .success(let connection)? = results.first { connection.isOpen } else { false }
  }

  /// What the client has sent on its last connection.
  func received() -> String { String(decoding: peers.last?.takeReceived() ?? [], as: UTF8.self) }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    peers.last?.send(bytes)
    network.runUntilIdle()
  }
}

/// The 101 that answers a request.
func switching(_ request: String, _ fields: String = "") -> String {
  let name = "Sec-WebSocket-Key: "
  let line = request.split(separator: "\r\n").first { $0.hasPrefix(name) } ?? ""
  let accept = OpeningHandshake.accept(key: String(line.dropFirst(name.count)))
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    + "Sec-WebSocket-Accept: \(accept)\r\n\(fields)\r\n"
}
