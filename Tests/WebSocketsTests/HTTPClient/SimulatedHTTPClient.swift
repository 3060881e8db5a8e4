import EventLoops
import HTTPCore
import Testing
import Transport

@testable import WebSockets

/// A client of HTTP on a simulated loop; the test plays the servers.
final class SimulatedHTTPClient {
  let network = SimulatedNetwork()
  let loop: EventLoop
  let client: HTTPClient
  /// The test's ends of the client's connections, in order.
  private(set) var peers: [SimulatedSocket] = []
  /// What became of the requests, in the order in which they ended.
  var outcomes: [String] { said.outcomes }
  private let said = Said()

  /// Outlives the client, whose end fails what is under way.
  private final class Said {
    var outcomes: [String] = []
  }

  init(_ change: (inout HTTPClientOptions) -> Void = { _ in }) {
    loop = network.makeLoop()
    var options = HTTPClientOptions()
    change(&options)
    client = HTTPClient(loop: loop, options: options)
    network.connectScripts[.loopback(port: 80)] = .succeeds { [unowned self] in peers.append($0) }
  }

  deinit {
    client.close()
    network.runUntilIdle()
  }

  func send(
    _ name: String = "", _ method: HTTPMethod = .post, url: String = "http://127.0.0.1/a?b",
    body: String = "hello",
    fields: HTTPFields = HTTPFields(), isRepeatable: Bool = false, timeoutMilliseconds: UInt64 = 1_000
  ) throws {
    let request = HTTPClientRequest(
      method, try WebURL(url, schemes: ["http", "https"]), fields: fields, body: Array(body.utf8),
      timeoutMilliseconds: timeoutMilliseconds, isRepeatable: isRepeatable)
    client.send(request) { [said] result in
      switch result {
      case .success(let response):
        said.outcomes.append(
          "\(name)\(response.status.code) \(String(decoding: response.body, as: UTF8.self))")
      case .failure(let error): said.outcomes.append("\(name)\(error.code)")
      }
    }
    network.runUntilIdle()
  }

  /// What has come to the server on a connection.
  func request(_ index: Int = 0) -> String { String(decoding: peers[index].takeReceived(), as: UTF8.self) }

  func answer(_ text: String, _ index: Int = 0) {
    peers[index].send(Array(text.utf8))
    network.runUntilIdle()
  }

  func answer(_ index: Int = 0, body: String) {
    answer("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)", index)
  }

  func end(_ index: Int = 0) {
    peers[index].end()
    network.runUntilIdle()
  }
}
