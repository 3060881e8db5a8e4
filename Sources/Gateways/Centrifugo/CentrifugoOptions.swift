import Realtime

/// How sessions of the Centrifugo protocol are run.
public struct CentrifugoOptions: Sendable {
  /// Verifies connection and subscription tokens.
  public var tokens = TokenVerifier(secret: "")
  /// A verifier in the place of `tokens` that can change while clients are connected.
  public var currentTokens: CurrentTokens?
  /// Whether clients may connect without a token.
  public var allowsAnonymous = false
  /// Whether a client without a token may call itself what its connect command's `data.user` says; counts only
  /// where `allowsAnonymous` lets it in. For demonstrations only: anybody can be anybody.
  public var takesUserFromConnectData = false
  /// The application, which may decide what clients may do.
  public var backend: any SessionBackend = NoBackend()
  /// Tells the application that clients come and go; nil where it is not told.
  public var webhooks: Webhooks?
  /// Where refused tokens and single clients are noted; nil: nowhere.
  public var log: ServerLog?
  /// How often clients may do what they do.
  public var rateLimits = RateLimits()
  /// The time for the connect command, in milliseconds: 3502 after that.
  public var connectDeadlineMilliseconds: UInt64 = 10_000
  /// The time between two pings, in milliseconds; 0 sends none.
  public var pingIntervalMilliseconds: UInt64 = 25_000
  /// The time for the answer to a ping, in milliseconds: 3012 after that.
  public var pongDeadlineMilliseconds: UInt64 = 8_000
  /// How long after a token's end a client may still refresh it, in milliseconds: 3005 after that.
  public var expiryGraceMilliseconds: UInt64 = 25_000
  /// What the connect reply says that the server is.
  public var version = ""
  /// Seconds since 1970.
  public var now: @Sendable () -> UInt64
  /// What verifies a token now.
  var verifier: TokenVerifier { currentTokens?.verifier ?? tokens }
  /// A fresh identifier for a client, unique in the hub.
  public var makeClientID: @Sendable () -> String

  /// Makes options that let nobody in.
  public init(now: @escaping @Sendable () -> UInt64, makeClientID: @escaping @Sendable () -> String) {
    self.now = now
    self.makeClientID = makeClientID
  }
}
