import WebSockets

/// Where a server can be reached, for people and scripts.
enum ListeningAddress {
  static func url(scheme: String = "ws", host: String, _ server: HTTPServer) -> String {
    url(scheme: scheme, host: host, port: server.port)
  }

  static func url(scheme: String, host: String, port: UInt16) -> String {
    // An address that means "all of them" cannot be connected to everywhere; this machine's own always can.
    let reachable = host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host
    return "\(scheme)://\(reachable.contains(":") ? "[\(reachable)]" : reachable):\(port)"
  }
}
