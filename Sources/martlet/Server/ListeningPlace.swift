import EventLoops
import Transport
import WebSockets

/// Where a server listens.
enum ListeningPlace: Sendable, Equatable {
  case tcp(host: String, port: Int)
  case unix(String)
  /// Sockets that listen already.
  case passed([Int32])

  /// Sockets that were passed go before what flags and configuration say; `unix:/path` as a host is a Unix socket.
  init(host: String, port: Int, environment: [String: String]) {
    let descriptors = ServiceManager.passedDescriptors(environment)
    if !descriptors.isEmpty {
      self = .passed(descriptors)
    } else if host.hasPrefix("unix:") {
      self = .unix(String(host.dropFirst(5)))
    } else {
      self = .tcp(host: host, port: port)
    }
  }

  /// - Throws: ``Problem`` for what can never be listened on.
  func check() throws(Problem) {
    guard case .unix(let path) = self else { return }
    if path.isEmpty { throw .usage("host: \"unix:\" needs a path, as in unix:/run/martlet.sock") }
    let limit = SocketAddress.maximumUnixPathByteCount
    if path.utf8.count > limit {
      throw .usage("host: the path of a Unix socket has at most \(limit) bytes")
    }
  }

  func start(
    group: EventLoopGroup, options: HTTPServerOptions, service: any HTTPService
  ) async throws(Problem) -> HTTPServer {
    try check()
    do throws(TransportError) {
      switch self {
      case .tcp(let host, let port):
        return try await HTTPServer.start(
          group: group, host: host, port: UInt16(clamping: port), options: options, service: service)
      case .unix(let path):
        return try await HTTPServer.start(group: group, unixPath: path, options: options, service: service)
      case .passed(let descriptors):
        return try await HTTPServer.start(
          group: group, descriptors: descriptors, options: options, service: service)
      }
    } catch {
      throw .failure(Explanation.of(error))
    }
  }

  /// Where the running server can be reached: a URL, or `unix:/path`.
  func url(scheme: String, _ server: HTTPServer) -> String {
    if case .tcp(let host, _) = self { return ListeningAddress.url(scheme: scheme, host: host, server) }
    let urls = server.addresses.map { address in
      guard let port = address.port else { return address.description }
      return ListeningAddress.url(scheme: scheme, host: address.host, port: port)
    }
    return urls.joined(separator: " ")
  }
}
