import EventLoops
import Realtime
import Transport
import WebSocketCore

/// Everything that can be set for `martlet serve`, with the defaults of docs/limits.md.
struct ServerConfiguration: Sendable {
  var host = "127.0.0.1"
  var port = 8_000
  /// 0: one per core.
  var loops = 0
  var driver = EventLoopDriver.automatic
  /// Empty: look beside the program.
  var pages = ""
  var drainMilliseconds: UInt64 = 2_000
  var allowedOrigins: [String] = []
  var trustedProxies: [AddressRange] = []
  var proxyProtocol = ProxyProtocolSetting.off
  var allowsAnonymous = false
  var tokenSecret = ""
  var tokenAudience = ""
  var tokenIssuer = ""
  var tokens = Tokens()
  var backend = Backend()
  var webhooks = WebhookSettings()
  var apiKeys: [String] = []
  var apiIsOpen = false
  var deflate = Deflate()
  var tls = ServerTLS.Settings()
  var limits = Limits()
  var observation = Observation()
  var log = Log()
  var transports = Transports()
  var rateLimits = RateLimits()
  /// The options of channels whose name has no namespace; nil when there are no such channels.
  var defaultNamespace: NamespaceOptions?
  var namespaces: [String: NamespaceOptions] = [:]

  struct Deflate: Sendable {
    var isEnabled = false
    var options = DeflateOptions.standard
    var takesOver = false
  }

  struct Limits: Sendable {
    var messageBytes = 65_536
    var queueBytes = 1 << 20
    var channelsPerConnection = 128
    var channelsPerLoop = 1_000_000
    var connectMilliseconds: UInt64 = 10_000
    var pingMilliseconds: UInt64 = 25_000
    var pongMilliseconds: UInt64 = 8_000
    /// 0: none.
    var connections = 0
    /// 0: none.
    var connectionsPerAddress = 0
  }

  /// Whether there can be channels.
  var hasNamespaces: Bool { !namespaces.isEmpty || defaultNamespace != nil }

  static let settings = Setting.inGroups(
    generalSettings + tokenSettings + backendSettings + webhookSettings + observationSettings + logSettings
      + transportSettings + rateLimitSettings)

  private static let generalSettings: [Setting<ServerConfiguration>] = [
    Setting(
      "host", \.host, .text("HOST"),
      help:
        "The address or name to listen on. 0.0.0.0 means every network of this machine, unix:/path a Unix socket."
    ),
    Setting(
      "port", \.port, .integer("PORT", in: 0...65_535), help: "The port to listen on. 0 takes a free one."),
    Setting(
      "loops", \.loops, .integer("N", in: 0...1_024), help: "Event loops (threads). 0 means one per core."),
    Setting(
      "driver", \.driver, .driver,
      help:
        "How the loops meet the kernel: \"epoll\", \"io_uring\" (Linux 6.1 or later; epoll where it is forbidden), or"
        + " \"auto\" for the one that was measured to be better for most."),
    Setting(
      "pages", \.pages, .text("DIR"),
      help: "The directory of the pages for browsers. Empty means the one that came with the program, if any."
    ),
    Setting(
      "drain_seconds", \.drainMilliseconds, .seconds(in: 0...3_600),
      help:
        "On SIGTERM, the time over which clients are told to go, so that they do not all come back at once."),
    Setting(
      "allowed_origins", \.allowedOrigins, .list("ORIGIN,…"),
      help:
        "Origins of web pages that may connect, exactly as browsers send them: \"https://example.com\". Empty"
        + " means only pages that come from this server itself; \"*\" means any."),
    Setting(
      "allow_anonymous", \.allowsAnonymous, .boolean,
      help: "Whether clients may connect without a token. They then have no user name."),
    Setting(
      "token.secret", \.tokenSecret, .text("SECRET"), isSecret: true,
      help:
        "The secret that signs connection and subscription tokens (JWT: HS256, HS384, HS512). Without it and without"
        + " the keys below no token is accepted."),
    Setting(
      "token.audience", \.tokenAudience, .text("NAME"),
      help: "What a token's \"aud\" must name. Empty means that it is not looked at."),
    Setting(
      "token.issuer", \.tokenIssuer, .text("NAME"),
      help: "What a token's \"iss\" must be. Empty means that it is not looked at."),
    Setting(
      "api.keys", \.apiKeys, .list("KEY,…"), isSecret: true,
      help: "Keys of backends that may call POST /api/… (header X-API-Key). Empty means that nobody may."),
    Setting(
      "api.insecure", \.apiIsOpen, .boolean,
      help:
        "Whether POST /api/… may be called without a key, by anything but web pages. Only where nobody else can reach"
        + " the port."),
    Setting(
      "tls.certificates", \.tls.certificates, .list("FILE,…"),
      help:
        "Files (PEM), each with a certificate and its chain. Clients get the one for the host that they name, else the"
        + " first. Empty means no TLS. SIGHUP reads them again."),
    Setting(
      "tls.keys", \.tls.keys, .list("FILE,…"),
      help:
        "Files (PEM) with the private keys, in the same order. Empty means that they are in the certificates' files."
    ),
    Setting(
      "tls.client_authorities", \.tls.clientAuthorities, .text("FILE"),
      help:
        "Only clients with a certificate that an authority of this file (PEM) has issued are let in. Empty means that"
        + " none is asked for."),
    Setting(
      "tls.minimum_version", \.tls.minimumVersion, .choice("1.2", "1.3"),
      help: "The oldest version of TLS spoken."),
    Setting(
      "tls.ciphers", \.tls.ciphers, .list("NAME,…"),
      help:
        "The ciphers that are taken, the preferred one first, those of TLS 1.3 and 1.2 together. Empty means AES-GCM and"
        + " ChaCha20-Poly1305 with ephemeral keys, AES-128 first."),
    Setting(
      "deflate.enabled", \.deflate.isEnabled, .boolean,
      help:
        "Whether messages are compressed (permessage-deflate) for clients that offer it. A publication is compressed"
        + " once for all of them."),
    Setting(
      "deflate.level", \.deflate.options.level, .integer("LEVEL", in: 1...9),
      help: "The effort, 1 (fast) to 9 (small)."),
    Setting(
      "deflate.threshold_bytes", \.deflate.options.minimumBytes, .bytes(in: 0...1 << 30),
      help: "Messages with fewer bytes are sent as they are."),
    Setting(
      "deflate.window_bits", \.deflate.options.sendWindowBits, .integer("BITS", in: 8...15),
      help: "How far back a message may refer, as a power of two: 8 (256 bytes) to 15 (32 KiB)."),
    Setting(
      "deflate.takeover", \.deflate.takesOver, .boolean,
      help:
        "Whether messages may refer to earlier ones: smaller, for up to 300 KiB and compressing each publication anew"
        + " for every connection."),
    Setting(
      "proxy.trusted", \.trustedProxies, .addressRanges,
      help:
        "Proxies that are believed what they say of their clients: ranges such as \"10.0.0.0/8\", or \"unix\". They"
        + " must set or remove X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host."),
    Setting(
      "proxy.protocol", \.proxyProtocol, .proxyProtocol,
      help:
        "Whether connections begin with a header of the PROXY protocol: \"off\"; \"optional\", those of trusted"
        + " proxies may; \"required\", all must, and come from trusted proxies."),
    Setting(
      "limits.connections", \.limits.connections, .integer("N", in: 0...1_000_000_000),
      help: "Connections that may be open at once; more get 503. 0 means as many as there are descriptors."),
    Setting(
      "limits.connections_per_address", \.limits.connectionsPerAddress, .integer("N", in: 0...1_000_000_000),
      help:
        "Connections that may be open at once from one IPv4 address or one IPv6 /64 network; more get 429. 0 means"
        + " any number. Those of trusted proxies are not counted."),
    Setting(
      "limits.message_bytes", \.limits.messageBytes, .bytes(in: 1...1 << 30),
      help: "The largest message a client may send. A larger one ends the connection with 1009."),
    Setting(
      "limits.queue_bytes", \.limits.queueBytes, .bytes(in: 1_024...1 << 30),
      help:
        "Bytes that may wait for one slow client before its connection is ended with 3008."),
    Setting(
      "limits.channels_per_connection", \.limits.channelsPerConnection, .integer("N", in: 1...1_000_000),
      help: "Channels that one connection may be subscribed to."),
    Setting(
      "limits.channels_per_loop", \.limits.channelsPerLoop, .integer("N", in: 1...1_000_000_000),
      help: "Channels that one event loop may hold; beyond that no new ones are made."),
    Setting(
      "limits.connect_seconds", \.limits.connectMilliseconds, .seconds(in: 1...600),
      help: "The time that a client has to send its connect command."),
    Setting(
      "limits.ping_seconds", \.limits.pingMilliseconds, .seconds(in: 1...3_600),
      help: "The time between two pings."),
    Setting(
      "limits.pong_seconds", \.limits.pongMilliseconds, .seconds(in: 1...3_600),
      help: "The time that a client has to answer a ping. It is shorter than the time between two pings."),
  ]
}
