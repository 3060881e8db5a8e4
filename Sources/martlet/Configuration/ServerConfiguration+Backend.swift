import EventLoops
import Gateways
import HTTPCore

extension ServerConfiguration {
  /// The application that is asked over HTTP.
  struct Backend: Sendable {
    var connect = ""
    var refresh = ""
    var subscribe = ""
    var subscriptionRefresh = ""
    var publish = ""
    var rpc = ""
    /// Empty: all.
    var namespaces: [String] = []
    var timeoutMilliseconds: UInt64 = 3_000
    var passedHeaders: [String] = []
    var headers: [String] = []
    var includesMeta = false
    var concurrency = 256
    var breakerThreshold = 10
    var breakerPauseMilliseconds: UInt64 = 5_000

    var endpoints: [(event: BackendEvent, key: String, url: String)] {
      [
        (.connect, "connect_url", connect), (.refresh, "refresh_url", refresh),
        (.subscribe, "subscribe_url", subscribe),
        (.subscriptionRefresh, "sub_refresh_url", subscriptionRefresh),
        (.publish, "publish_url", publish), (.rpc, "rpc_url", rpc),
      ].filter { !$0.2.isEmpty }
    }
  }

  static let backendSettings: [Setting<ServerConfiguration>] = [
    Setting(
      "backend.connect_url", \.backend.connect, .text("URL"),
      help: "Where it is asked whether a client without a token may connect, and who it is. Empty: nowhere."),
    Setting(
      "backend.refresh_url", \.backend.refresh, .text("URL"),
      help:
        "Where it is asked whether a connection whose time is over may stay. Empty: clients bring new tokens."
    ),
    Setting(
      "backend.subscribe_url", \.backend.subscribe, .text("URL"),
      help: "Where it is asked whether a client without a token for a channel may subscribe to it."),
    Setting(
      "backend.sub_refresh_url", \.backend.subscriptionRefresh, .text("URL"),
      help: "Where it is asked whether a subscription whose time is over may go on."),
    Setting(
      "backend.publish_url", \.backend.publish, .text("URL"),
      help: "Where it is asked whether a client may publish, and what."),
    Setting(
      "backend.rpc_url", \.backend.rpc, .text("URL"), help: "Where clients' calls (rpc) are answered."),
    Setting(
      "backend.namespaces", \.backend.namespaces, .list("NAME,…"),
      help:
        "The namespaces whose subscriptions and publications the backend decides on; \"\" is the one of channels"
        + " without a namespace. [] means all."),
    Setting(
      "backend.timeout_seconds", \.backend.timeoutMilliseconds, .seconds(in: 1...60),
      help: "The time that the backend has to answer."),
    Setting(
      "backend.pass_headers", \.backend.passedHeaders, .list("NAME,…"),
      help: "Fields of the client's request that the backend gets, such as \"Cookie\"."),
    Setting(
      "backend.headers", \.backend.headers, .list("NAME: VALUE,…"), isSecret: true,
      help: "Fields that every request to the backend has, such as a key of its own."),
    Setting(
      "backend.include_meta", \.backend.includesMeta, .boolean,
      help:
        "Whether requests carry what the connect answer or the token said for the backend alone (\"meta\")."),
    Setting(
      "backend.concurrency", \.backend.concurrency, .integer("N", in: 1...100_000),
      help: "Requests to the backend that are under way at once; more wait."),
    Setting(
      "backend.breaker_failures", \.backend.breakerThreshold, .integer("N", in: 0...1_000_000),
      help:
        "After so many failures in a row the backend is not asked for a while, and clients get a temporary error at"
        + " once. 0 means that it is always asked."),
    Setting(
      "backend.breaker_seconds", \.backend.breakerPauseMilliseconds, .seconds(in: 1...600),
      help: "How long that while is."),
  ]

  /// What `backend.…` says; nil where nobody is asked.
  ///
  /// - Throws: ``Problem`` for a URL or a field that cannot be used.
  func backendOptions() throws(Problem) -> HTTPBackendOptions? {
    if let name = backend.passedHeaders.first(where: { !Self.isFieldName($0) }) {
      throw .usage("backend.pass_headers: \(quoted(name)) cannot be the name of a field")
    }
    guard !backend.endpoints.isEmpty else { return nil }
    var options = HTTPBackendOptions()
    for (event, key, text) in backend.endpoints {
      do {
        options.endpoints[event] = try WebURL(text, schemes: ["http", "https"])
      } catch {
        throw .usage("backend.\(key): \(error)")
      }
    }
    options.namespaces = backend.namespaces.isEmpty ? nil : Set(backend.namespaces)
    options.timeoutMilliseconds = backend.timeoutMilliseconds
    options.passedHeaders = backend.passedHeaders.map { $0.lowercased() }
    options.fields = try Self.fields(backend.headers, "backend.headers")
    options.includesMeta = backend.includesMeta
    options.maximumConcurrency = backend.concurrency
    options.breakerThreshold = backend.breakerThreshold
    options.breakerPauseMilliseconds = backend.breakerPauseMilliseconds
    return options
  }

  /// `NAME: VALUE`, each.
  static func fields(_ lines: [String], _ key: String) throws(Problem) -> HTTPFields {
    var fields = HTTPFields()
    for line in lines {
      guard let colon = line.firstIndex(of: ":"), isFieldName(line[..<colon]) else {
        throw .usage("\(key): a field is written as NAME: VALUE")
      }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
        throw .usage("\(key): a value must not have control characters")
      }
      fields.append(String(line[..<colon]), String(value))
    }
    return fields
  }

  private static func isFieldName(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy(ASCII.isToken)
  }
}
