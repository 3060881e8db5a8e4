import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// One opening of a WebSocket, stage by stage: the host's name and TCP, the proxy, TLS, the opening handshake.
///
/// What ``WebSocketClient/connect(to:on:options:handler:_:)`` returns.
public final class WebSocketAttempt: @unchecked Sendable {
  typealias Completion = @Sendable (Result<WebSocketConnection, WebSocketError>) -> Void

  /// The loop that will own the connection.
  public let loop: EventLoop
  private let url: String
  private let options: WebSocketClientOptions
  private let handler: WebSocketHandler
  private var completion: Completion?
  /// What is left of the time for connecting, and of the time for handshakes: redirects get no more.
  private var connectMillisecondsLeft: UInt64
  private var handshakeMillisecondsLeft: UInt64
  private var connecting: ConnectionAttempt?
  private var transport: Connection?

  init(
    to url: String, loop: EventLoop, options: WebSocketClientOptions, handler: WebSocketHandler,
    completion: @escaping Completion
  ) {
    self.url = url
    self.loop = loop
    self.options = options
    self.handler = handler
    self.completion = completion
    connectMillisecondsLeft = options.connectTimeoutMilliseconds
    handshakeMillisecondsLeft = options.handshakeTimeoutMilliseconds
  }

  /// Gives up: the completion hears `cancelled`, unless it has been called already. Any thread.
  public func cancel() {
    loop.execute { self.end(.failure(WebSocketError(.cancelled, "Connecting was cancelled."))) }
  }

  /// Loop only.
  func start() {
    guard completion != nil else { return }
    do throws(WebSocketError) {
      try open(try ClientRequest(to: url, options: options))
    } catch {
      end(.failure(error))
    }
  }

  private func end(_ result: Result<WebSocketConnection, WebSocketError>) {
    guard let completion else { return }
    self.completion = nil
    connecting?.cancel()
    connecting = nil
    if case .failure = result { transport?.abort() }
    transport = nil
    completion(result)
  }

  // MARK: TCP

  private func open(_ request: ClientRequest) throws(WebSocketError) {
    let url = request.url
    let proxy = try options.proxy.server(for: url, environment: ProxyEnvironment.ofProcess)
    var first: ConnectionHandler = makeHandshake(request)
    if url.isSecure {
      first = try tlsStage(options.tls, host: url.host, port: UInt16(clamping: url.port), then: first)
    }
    if let proxy { first = try stage(of: proxy, to: url, then: first) }
    connecting = Connector.connect(
      loop: loop, host: proxy?.host ?? url.host, port: proxy?.port ?? UInt16(clamping: url.port),
      from: options.localAddress, timeoutMilliseconds: connectMillisecondsLeft, handler: first
    ) { [self] result in
      connecting = nil
      switch result {
      case .success(let connection): if completion != nil { transport = connection }
      case .failure(let error): end(.failure(Self.explained(error, proxy)))
      }
    }
  }

  private static func explained(_ error: TransportError, _ proxy: ProxyServer?) -> WebSocketError {
    guard let proxy else { return WebSocketError(.connectFailed, error.message, cause: error) }
    return WebSocketError(
      .proxyFailed, "The proxy \(proxy) cannot be reached. \(error.message)", cause: error)
  }

  // MARK: Proxy

  private func stage(
    of proxy: ProxyServer, to url: WebURL, then next: ConnectionHandler
  ) throws(WebSocketError) -> ConnectionHandler {
    let destination = ProxyDestination(host: url.host, port: UInt16(clamping: url.port))
    switch proxy.kind {
    case .http, .https:
      let credentials = proxy.user.flatMap { BasicCredentials(user: $0, password: proxy.password) }
      let tunnel = stage(
        HTTPTunnel(to: destination, credentials: credentials), of: proxy, isSecure: url.isSecure, then: next)
      guard proxy.kind == .https else { return tunnel }
      return try tlsStage(options.proxyTLS, host: proxy.host, port: proxy.port, then: tunnel)
    case .socks5:
      let credentials = proxy.user.map { (user: $0, password: proxy.password) }
      return stage(
        SOCKS5Dialogue(to: destination, credentials: credentials), of: proxy, isSecure: url.isSecure,
        then: next)
    }
  }

  private func stage<Dialogue: ProxyDialogue & ~Copyable>(
    _ dialogue: consuming Dialogue, of proxy: ProxyServer, isSecure: Bool, then next: ConnectionHandler
  ) -> ConnectionHandler {
    let (deadline, overflow) = loop.nowMilliseconds.addingReportingOverflow(connectMillisecondsLeft)
    return ProxyStage(dialogue, deadline: overflow ? .max : deadline) { [self] result in
      switch result {
      case .success(let proxied):
        // In TLS the client speaks first: this is not the server's.
        guard !isSecure || proxied.unread.isEmpty else {
          proxied.connection.abort()
          let message = "The proxy \(proxy) sent bytes of its own behind its answer."
          return end(.failure(WebSocketError(.proxyFailed, message)))
        }
        proxied.connection.handler = next
        next.connected(proxied.connection)
        if !proxied.unread.isEmpty { next.received(proxied.unread, on: proxied.connection) }
      case .failure(let refusal):
        let message = "The proxy \(proxy) \(refusal.complaint)"
        end(.failure(WebSocketError(.proxyFailed, message, status: refusal.status)))
      }
    }
  }

  // MARK: TLS

  private func tlsStage(
    _ tls: TLSClientOptions, host: String, port: UInt16, then next: ConnectionHandler
  ) throws(WebSocketError) -> ConnectionHandler {
    let context: TLSClientContext
    do {
      context = try TLSClientContext.shared(for: tls)
    } catch {
      throw WebSocketError(.invalidOptions, error.message, cause: error)
    }
    let (deadline, overflow) = loop.nowMilliseconds.addingReportingOverflow(connectMillisecondsLeft)
    return TLSStage(
      context, host: host, port: port, deadline: overflow ? .max : deadline, next: next
    ) { [self] in end(.failure(WebSocketError(.tlsFailed, $0.message, cause: $0))) }
  }

  // MARK: Opening handshake

  private func makeHandshake(_ request: ClientRequest) -> ClientHandshake {
    let start = loop.nowMilliseconds
    return ClientHandshake(
      request, options: options, handler: handler, timeoutMilliseconds: handshakeMillisecondsLeft
    ) { [self] outcome in
      switch outcome {
      case .open(let socket): end(.success(socket))
      case .failed(let error): end(.failure(error))
      case .redirected(let response, let location, let sentAt):
        transport = nil
        spend(sentAt &- start, of: &connectMillisecondsLeft)
        spend(loop.nowMilliseconds &- sentAt, of: &handshakeMillisecondsLeft)
        follow(response, to: location, from: request)
      }
    }
  }

  private func spend(_ milliseconds: UInt64, of left: inout UInt64) {
    left = left > milliseconds ? left - milliseconds : 0
  }

  /// Later: the handler of the old connection is still at work.
  private func follow(_ response: HTTPResponseHead, to location: String, from request: ClientRequest) {
    loop.execute { [self] in
      guard completion != nil else { return }
      do throws(WebSocketError) {
        try open(try request.redirected(by: response, to: location, options: options))
      } catch {
        end(.failure(error))
      }
    }
  }
}
