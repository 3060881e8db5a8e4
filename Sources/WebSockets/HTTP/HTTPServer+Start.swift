import EventLoops
import HTTPCore
import Transport

extension HTTPServer {
  /// Binds a TCP address and starts to accept.
  ///
  /// - Parameters:
  ///   - group: the loops to serve on; each gets a listener of its own.
  ///   - host: the address or name to bind; nil binds every interface.
  ///   - port: the port; 0 takes a free one, see ``port``.
  ///   - options: limits and deadlines.
  ///   - service: answers the requests.
  /// - Throws: ``TransportError`` when the address cannot be bound.
  public static func start(
    group: EventLoopGroup, host: String?, port: UInt16, options: HTTPServerOptions = HTTPServerOptions(),
    service: any HTTPService
  ) async throws(TransportError) -> HTTPServer {
    let parts = ServerParts(group, options, service)
    let listener = try await Listener.bind(
      group: group, host: host, port: port, options: parts.listenerOptions, makeHandler: parts.makeHandler)
    return HTTPServer(group: group, listener: listener, registries: parts.registries)
  }

  /// Binds a Unix socket and starts to accept: one loop accepts, and deals the connections out to all in turn. A socket
  /// file left by a program that has ended is replaced; the file goes at shutdown.
  ///
  /// - Parameters:
  ///   - group: the loops to serve on.
  ///   - unixPath: the socket's path, 1 to 107 bytes.
  ///   - mode: the file's permissions; who may connect must be able to write.
  ///   - options: limits and deadlines.
  ///   - service: answers the requests.
  /// - Throws: ``TransportError`` when the path cannot be bound.
  public static func start(
    group: EventLoopGroup, unixPath: String, mode: UInt32 = 0o660,
    options: HTTPServerOptions = HTTPServerOptions(), service: any HTTPService
  ) async throws(TransportError) -> HTTPServer {
    let parts = ServerParts(group, options, service)
    let listener = try await Listener.bind(
      group: group, unixPath: unixPath, mode: mode, options: parts.listenerOptions,
      makeHandler: parts.makeHandler)
    return HTTPServer(group: group, listener: listener, registries: parts.registries)
  }

  /// Accepts on sockets that listen already, passed by systemd or another parent; see ``Listener/adopt(_:group:options:makeHandler:)``.
  ///
  /// - Throws: ``TransportError`` when a descriptor is not a listening stream socket.
  public static func start(
    group: EventLoopGroup, descriptors: [Int32], options: HTTPServerOptions = HTTPServerOptions(),
    service: any HTTPService
  ) async throws(TransportError) -> HTTPServer {
    let parts = ServerParts(group, options, service)
    let listener = try await Listener.adopt(
      descriptors, group: group, options: parts.listenerOptions, makeHandler: parts.makeHandler)
    return HTTPServer(group: group, listener: listener, registries: parts.registries)
  }
}

/// What a server's listener and its connections share.
private struct ServerParts: Sendable {
  let registries: [ConnectionRegistry]
  let listenerOptions: ListenerOptions
  let makeHandler: Listener.MakeHandler

  init(_ group: EventLoopGroup, _ options: HTTPServerOptions, _ service: any HTTPService) {
    let registries = group.loops.map { ConnectionRegistry(loop: $0, options: options) }
    self.registries = registries
    listenerOptions = options.listenerForHTTP
    let (tls, tlsCounters) = (options.tls, options.counters.tls)
    makeHandler = { loop in
      let handler = HTTPServerConnection(service: service, registry: registries[loop.index])
      guard let tls else { return handler }
      return TLSAcceptor(server: tls, counters: tlsCounters, next: handler)
    }
  }
}

extension HTTPServerOptions {
  /// The listener's options with what HTTP says beyond a limit, and with these counters.
  var listenerForHTTP: ListenerOptions {
    var listener = listener
    listener.counters = counters.listener
    // By TLS nothing can be said without a handshake, which is what a full server saves itself.
    guard tls == nil else { return listener }
    listener.refusalAnswer = { refusal in
      switch refusal {
      case .tooManyConnections:
        Self.refusal(.serviceUnavailable, "The server has as many connections as it takes.\n")
      case .tooManyFromAddress:
        Self.refusal(.tooManyRequests, "There are too many connections from this address.\n")
      }
    }
    return listener
  }

  private static func refusal(_ status: HTTPStatus, _ text: String) -> [UInt8] {
    let date = HTTPDate.format(secondsSinceEpoch: WallClock.seconds)
    return Array(
      ("HTTP/1.1 \(status)\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \(text.utf8.count)\r\n"
        + "Retry-After: 5\r\nDate: \(date)\r\nConnection: close\r\n\r\n\(text)").utf8)
  }
}
