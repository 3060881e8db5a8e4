import EventLoops

/// The test's side of connections to 127.0.0.1:80 of a simulated network: one response for each request.
final class SimulatedHTTPServer {
  private let network: SimulatedNetwork
  private var peers: [SimulatedSocket] = []
  /// The requests that came, heads and bodies.
  private(set) var requests: [String] = []

  init(_ network: SimulatedNetwork) {
    self.network = network
    network.connectScripts[.loopback(port: 80)] = .succeeds { [weak self] in self?.peers.append($0) }
  }

  /// Takes the requests that have come; each is one read, as tests' requests are small.
  func take() -> [String] {
    network.runUntilIdle()
    var taken: [String] = []
    for peer in peers {
      let text = String(decoding: peer.takeReceived(), as: UTF8.self)
      if !text.isEmpty { taken.append(text) }
    }
    requests += taken
    return taken
  }

  /// The body of the only request that has come.
  func takeBody() -> String {
    let taken = take()
    guard taken.count == 1, let end = taken[0].firstRange(of: "\r\n\r\n") else { return "\(taken)" }
    return String(taken[0][end.upperBound...])
  }

  /// Answers on the connection that was made last.
  func answer(_ body: String, status: Int = 200, fields: String = "") {
    let head = "HTTP/1.1 \(status) x\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n"
    peers.last?.send(Array((head + body).utf8))
    network.runUntilIdle()
  }

  /// Ends the connections.
  func end() {
    for peer in peers { peer.end() }
    network.runUntilIdle()
  }
}
