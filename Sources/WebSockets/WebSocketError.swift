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
  public var code: Code {
    get { details.code }
    set { change().code = newValue }
  }
  /// What happened, for people.
  public var message: String {
    get { details.message }
    set { change().message = newValue }
  }
  /// The close code, if the connection was open (RFC 6455 §7.4).
  public var closeCode: CloseCode? {
    get { details.closeCode }
    set { change().closeCode = newValue }
  }
  /// The HTTP status of a refused handshake, or of a proxy's refusal.
  public var status: HTTPStatus? {
    get { details.status }
    set { change().status = newValue }
  }
  /// The header fields of the response that refused, of the server or of an HTTP proxy.
  public var responseFields: HTTPFields? {
    get { details.responseFields }
    set { change().responseFields = newValue }
  }
  /// The beginning of the server's refusal: at most 4 KiB, as text; what is not UTF-8 in it is replaced.
  public var responseBody: String? {
    get { details.responseBody }
    set { change().responseBody = newValue }
  }
  /// How long the response asks to wait before the next attempt, in seconds (RFC 9110 §10.2.3); nil if it does not.
  public var retryAfterSeconds: UInt64? {
    get { details.retryAfterSeconds }
    set { change().retryAfterSeconds = newValue }
  }
  /// The error beneath.
  public var cause: (any Error)? {
    get { details.cause }
    set { change().cause = newValue }
  }

  init(
    _ code: Code, _ message: String, closeCode: CloseCode? = nil, status: HTTPStatus? = nil,
    cause: (any Error)? = nil
  ) {
    details = Details(code, message)
    details.closeCode = closeCode
    details.status = status
    details.cause = cause
  }

  /// In a box, which makes the results of all the calls that may throw it small.
  private var details: Details

  private mutating func change() -> Details {
    if !isKnownUniquelyReferenced(&details) { details = Details(copying: details) }
    return details
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

/// Never changed while two errors share it, which is what makes it sendable.
private final class Details: @unchecked Sendable {
  var code: WebSocketError.Code
  var message: String
  var closeCode: CloseCode?
  var status: HTTPStatus?
  var responseFields: HTTPFields?
  var responseBody: String?
  var retryAfterSeconds: UInt64?
  var cause: (any Error)?

  init(_ code: WebSocketError.Code, _ message: String) {
    self.code = code
    self.message = message
  }

  init(copying other: Details) {
    code = other.code
    message = other.message
    closeCode = other.closeCode
    status = other.status
    responseFields = other.responseFields
    responseBody = other.responseBody
    retryAfterSeconds = other.retryAfterSeconds
    cause = other.cause
  }
}
