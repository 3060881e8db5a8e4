import HTTPCore
import WebSocketCore

/// Why a WebSocket could not be opened or did not end normally.
public struct WebSocketError: Error, CustomStringConvertible {
  /// What kind of error it is; more kinds may come.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// The name of the kind, as in the static members.
    public let description: String

    /// The URL cannot be used.
    public static let invalidURL = Code(description: "invalidURL")
    /// No connection could be made: the name, the route, the port or the time.
    public static let connectFailed = Code(description: "connectFailed")
    /// The options cannot be used: a header field or a cookie.
    public static let invalidOptions = Code(description: "invalidOptions")
    /// The setting for a proxy cannot be used: its URL, or the kind of proxy.
    public static let invalidProxy = Code(description: "invalidProxy")
    /// The proxy cannot be reached or refuses; `status` has the HTTP status of its answer.
    public static let proxyFailed = Code(description: "proxyFailed")
    /// There is no TLS with the server: `cause` is a ``TransportError`` with the code `certificateRejected` where its
    /// certificate was not accepted.
    public static let tlsFailed = Code(description: "tlsFailed")
    /// The attempt to connect was cancelled.
    public static let cancelled = Code(description: "cancelled")
    /// The server answered the opening handshake otherwise than with a valid 101.
    public static let handshakeFailed = Code(description: "handshakeFailed")
    /// The server redirects where the client does not follow: too often, in a circle, or out of TLS.
    public static let redirectRefused = Code(description: "redirectRefused")
    /// The connection has ended otherwise than by a normal closure.
    public static let closedAbnormally = Code(description: "closedAbnormally")
    /// The connection is closing or closed, so that nothing can be sent.
    public static let notOpen = Code(description: "notOpen")
  }

  /// The kind of error.
  public var code: Code
  /// What happened, for people.
  public var message: String
  /// The close code, if the connection was open (RFC 6455 §7.4).
  public var closeCode: CloseCode?
  /// The HTTP status of a refused handshake, or of a proxy's refusal.
  public var status: HTTPStatus?
  /// The header fields of the response that refused, of the server or of an HTTP proxy.
  public var responseFields: HTTPFields?
  /// The beginning of the server's refusal: at most 4 KiB, as text; what is not UTF-8 in it is replaced.
  public var responseBody: String?
  /// How long the response asks to wait before the next attempt, in seconds (RFC 9110 §10.2.3); nil if it does not.
  public var retryAfterSeconds: UInt64?
  /// The error beneath.
  public var cause: (any Error)?

  init(
    _ code: Code, _ message: String, closeCode: CloseCode? = nil, status: HTTPStatus? = nil,
    cause: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.closeCode = closeCode
    self.status = status
    self.cause = cause
  }

  /// A refusal by an HTTP response.
  init(
    _ code: Code, _ message: String, cause: (any Error)? = nil, refusedBy response: HTTPResponseHead,
    body: [UInt8] = []
  ) {
    self.init(code, message, status: response.status, cause: cause)
    responseFields = response.fields
    responseBody = body.isEmpty ? nil : String(decoding: body, as: UTF8.self)
    retryAfterSeconds = response.fields.retryAfterSeconds(now: WallClock.seconds)
  }

  /// The message, with the close code or status where there is one.
  public var description: String {
    if let closeCode { return "\(message) (close code \(closeCode.rawValue))" }
    if let status { return "\(message) (HTTP status \(status.code))" }
    return message
  }
}
