import HTTPCore
import Realtime
import WebSockets

/// Client sessions for those who cannot have a WebSocket, or do not want one: the same protocol over streamed responses and
/// posts, long-polling, and streams for clients that only listen. See docs/transports.md.
final class HTTPTransports: Sendable {
  private let context: SessionContext
  /// For transports whose peers would not answer pings.
  private let quietContext: SessionContext
  let options: TransportOptions
  /// The places of the hub's encodings.
  private let json: Int
  private let protobuf: Int?
  let directory: SessionDirectory
  private let crossOrigin: CrossOrigin

  init(
    hub: Hub, encoding: Int, sessions: CentrifugoOptions, options: TransportOptions, origins: OriginPolicy,
    counters: CentrifugoCounters, directory: SessionDirectory
  ) {
    context = SessionContext(hub, sessions, counters)
    var quiet = sessions
    quiet.pingIntervalMilliseconds = 0
    quietContext = SessionContext(hub, quiet, counters)
    json = encoding
    protobuf = hub.encodings.firstIndex { $0 is CentrifugoProtobufEncoding }
    self.options = options
    self.directory = directory
    crossOrigin = CrossOrigin(policy: origins, log: sessions.log)
  }

  var sessions: CentrifugoOptions { context.options }

  private enum Route: String {
    case events = "/connection/sse"
    case lines = "/connection/http_stream"
    case poll = "/connection/poll"
    case emulation = "/emulation"
    case listenerEvents = "/connection/uni_sse"
    case listenerLines = "/connection/uni_http_stream"
    case tunnel = "/tunnel"

    init?(path: String) {
      // Behind it is where the tunnel leads.
      if path.hasPrefix(HTTPTransports.tunnelPath + "/") { self = .tunnel } else { self.init(rawValue: path) }
    }

    var methods: [HTTPMethod] {
      switch self {
      case .events, .listenerEvents, .listenerLines: [.get, .post]
      case .lines, .poll, .emulation, .tunnel: [.post]
      }
    }
  }

  /// Answers a request if its path is one of these; false if it is not. On the exchange's loop.
  func handle(_ exchange: HTTPExchange) -> Bool {
    guard let route = Route(path: exchange.head.path) else { return false }
    switch crossOrigin.judge(exchange) {
    case .answer(let response): exchange.respond(response)
    case .proceed(let fields):
      if let refusal = refusal(of: exchange, route) {
        refuse(exchange, fields, refusal)
      } else {
        serve(exchange, route, fields)
      }
    }
    return true
  }

  private func refusal(of exchange: HTTPExchange, _ route: Route) -> HTTPResponse? {
    guard route.methods.contains(exchange.head.method) else {
      let methods = route.methods.map(\.rawValue).joined(separator: ", ")
      var response = HTTPResponse.text(.methodNotAllowed, "This address takes \(methods) only.\n")
      response.fields.append("Allow", methods)
      return response
    }
    // Messages in a tunnel are in other clothes: the WebSocket that they are for has its own limit.
    guard route == .tunnel || exchange.body.count <= options.maximumMessageBytes else {
      return .text(.contentTooLarge, "The request is larger than limits.message_bytes.\n")
    }
    return nil
  }

  private func serve(_ exchange: HTTPExchange, _ route: Route, _ fields: HTTPFields) {
    switch route {
    case .events: openStream(exchange, .events, fields)
    case .lines: openStream(exchange, .lines, fields)
    case .poll: poll(exchange, fields)
    case .emulation: emulate(exchange, fields)
    case .listenerEvents: listen(exchange, .events, fields)
    case .listenerLines: listen(exchange, .lines, fields)
    case .tunnel: tunnel(exchange, fields)
    }
  }

  /// How a request's commands are spelled: in Protobuf where it says that they are bytes.
  func encoding(of exchange: HTTPExchange) -> ClientEncoding {
    let type = exchange.head.fields["Content-Type"]?.prefix { $0 != ";" && $0 != " " }
    return protobuf != nil && type?.lowercased() == "application/octet-stream" ? .protobuf : .json
  }

  func refuse(_ exchange: HTTPExchange, _ fields: HTTPFields, _ response: HTTPResponse) {
    options.counters.requestsRefused.count()
    var response = response
    for (name, value) in fields { response.fields.append(name, value) }
    exchange.respond(response)
  }

  func makeSession(
    _ exchange: HTTPExchange, _ output: any CentrifugoOutput, emulated: EmulatedSession? = nil,
    pings: Bool = true
  ) -> CentrifugoSession {
    let encoding = emulated?.encoding ?? .json
    return CentrifugoSession(
      pings ? context : quietContext, encoding: encoding == .json ? json : protobuf ?? json,
      clientEncoding: encoding,
      carrier: SessionCarrier(
        String(exchange.head.path.dropFirst(12)),
        emulation: emulated.map { EmulationAddress(session: $0.id, node: options.node) }),
      loop: exchange.loop, output: output, headers: sessions.keptHeaders(of: exchange.head),
      address: exchange.clientAddress.counted)
  }
}
