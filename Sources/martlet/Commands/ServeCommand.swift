import EventLoops
import Gateways
import WebSockets

/// `martlet serve`
enum ServeCommand: Command {
  private static let config = Flag(
    "config", .text("FILE"), environment: "MARTLET_CONFIG",
    help: "read this JSON5 file ('martlet config default' prints one)")
  private static let port = Flag(
    "port", .integer("PORT", in: 0...65_535), default: "8000", help: "port to listen on; 0 takes a free one")
  private static let loops = Flag(
    "loops", .integer("N", in: 1...1_024), default: "one per core", help: "event loops (threads)")
  private static let pages = Flag(
    "pages", .text("DIR"), default: "those that came with the program", help: "show browsers these pages")
  private static let drain = Flag(
    "drain-seconds", .seconds(in: 0...3_600), default: "2",
    help: "on SIGTERM, the time over which clients are told to go")
  private static let demo = Switch(
    "demo", help: "open the namespaces chat, news and devices to everyone, and show the demo pages")

  private static let deflate = Switch(
    "deflate", help: "compress messages (permessage-deflate) for clients that offer it")

  static let description = CommandDescription(
    name: "serve", summary: "Run the real-time messaging server",
    discussion: [
      "Clients connect to ws://HOST:PORT/connection/websocket with any Centrifugo SDK; backends call"
        + " http://HOST:PORT/api/ with an API key. Everything is denied until the configuration or a token allows it."
        + " Settings come from the file, then the environment (MARTLET_PORT, MARTLET_TOKEN_SECRET, …), then flags;"
        + " the later wins.",
      "SIGTERM or Ctrl-C tells clients to reconnect elsewhere (3001), spread over --drain-seconds, and ends with"
        + " status 0; a second one ends at once. SIGHUP reads TLS certificates and keys again, and the configuration:"
        + " namespaces, tokens, API keys, origins and limits change at once, other settings wait for a restart.",
      "Sockets that systemd passes (LISTEN_FDS) are used in the place of --host and --port.",
    ],
    flags: [
      config, ListeningFlags.host, port, loops, DriverFlag.forServe, demo, pages, drain, deflate,
      ListeningFlags.trustedProxy, ListeningFlags.proxyProtocol, ServerTLS.certificate, ServerTLS.key,
      ServerTLS.clientAuthorities,
    ],
    examples: [
      .init(purpose: "Look around: open the page that it prints.", line: "martlet serve --demo"),
      .init(
        purpose: "With a configuration of your own.",
        line: "martlet serve --config martlet.json5 --host 0.0.0.0"),
    ])

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    let configuration = try configuration(arguments, Program.environment())
    Machine.raiseFileLimit()
    let termination = Termination()
    let writer = LogWriter(
      level: configuration.log.level, format: configuration.log.format(isTerminal: Terminal.isErrorTerminal))
    writer.start()
    defer { writer.finish() }
    let log = writer.log
    let server = try await RunningServer.start(configuration, isDemo: arguments.has(demo), log: log)
    server.reloadAtHangup { () throws(Problem) in try Self.configuration(arguments, Program.environment()) }
    announce(server, configuration, isDemo: arguments.has(demo), log)
    ServiceManager.notifyReady()
    await termination.wait()
    ServiceManager.notifyStopping()
    log.write(.info, "draining", [.number("milliseconds", configuration.drainMilliseconds)])
    await server.shutdown(spreadMilliseconds: configuration.drainMilliseconds)
    log.write(.info, "stopped")
    return .success
  }

  /// File, environment, flags: the later wins.
  static func configuration(
    _ arguments: Arguments, _ environment: [String: String]
  ) throws(Problem) -> ServerConfiguration {
    var configuration = ServerConfiguration()
    if let file = arguments.value(config) { configuration = try ConfigurationReader.load(file) }
    try configuration.apply(environment: environment)
    if let host = arguments.value(ListeningFlags.host) { configuration.host = host }
    if let port = arguments.value(port) { configuration.port = port }
    if let loops = arguments.value(loops) { configuration.loops = loops }
    if let driver = arguments.value(DriverFlag.forServe) { configuration.driver = driver }
    if let pages = arguments.value(pages) { configuration.pages = pages }
    if let drain = arguments.value(drain) { configuration.drainMilliseconds = drain }
    if let setting = arguments.value(ListeningFlags.proxyProtocol) { configuration.proxyProtocol = setting }
    if arguments.has(deflate) { configuration.deflate.isEnabled = true }
    let proxies = arguments.allValues(ListeningFlags.trustedProxy)
    if !proxies.isEmpty { configuration.trustedProxies = proxies }
    ServerTLS.apply(arguments, to: &configuration.tls)
    if let problem = configuration.contradictions.first { throw .usage(problem) }
    if !configuration.pages.isEmpty, !TextFile.isDirectory(configuration.pages) {
      throw .usage("pages: \(quoted(path: configuration.pages)) is not a directory")
    }
    if arguments.has(demo) { configuration.openForDemo() }
    return configuration
  }

  /// Says where the server is: to people on a terminal in words of their own, to everybody else in the log.
  private static func announce(
    _ server: RunningServer, _ configuration: ServerConfiguration, isDemo: Bool, _ log: ServerLog
  ) {
    let url = server.url(scheme: server.isSecure ? "wss" : "ws")
    if Terminal.isErrorTerminal {
      explain(server, configuration, isDemo: isDemo)
    } else {
      if configuration.apiIsOpen {
        log.write(.warning, "api.insecure: whoever reaches this port may call the server API without a key")
      }
      if isDemo {
        log.write(
          .warning, "demo: these namespaces are open to everyone who can reach this port",
          [.texts("namespaces", ServerConfiguration.demoNamespaces)])
      } else if !configuration.hasNamespaces {
        log.write(.warning, "no namespaces are configured, so there are no channels")
      }
      log.write(
        .info, "listening",
        [.text("url", url), .text("version", Version.number), .number("process", Machine.processIdentifier)])
    }
    if let pages = server.pages {
      Terminal.line("pages on \(server.url(scheme: server.isSecure ? "https" : "http"))/ (from \(pages))")
    }
    Terminal.line("listening on \(url)")
  }

  private static func explain(_ server: RunningServer, _ configuration: ServerConfiguration, isDemo: Bool) {
    if configuration.apiIsOpen {
      Terminal.note(
        Terminal.loud("api.insecure: whoever reaches this port may call the server API without a key."))
    }
    if isDemo {
      let names = ServerConfiguration.demoNamespaces.joined(separator: ", ")
      Terminal.note(
        Terminal.loud("DEMO: everything in \(names) is open to everyone who can reach this port."))
      Terminal.note("  Clients are whoever they say they are. Never run this where strangers can reach it.")
      if configuration.apiKeys == [ServerConfiguration.demoKey] {
        Terminal.note("  API key: \(ServerConfiguration.demoKey)")
      }
      if server.pages == nil {
        Terminal.note("  The demo pages were not found; say where they are with --pages DIR.")
      }
    } else if !configuration.hasNamespaces {
      Terminal.note(
        "no namespaces are configured, so there are no channels; see 'martlet config default', or try --demo")
    }
  }
}
