import Realtime

/// An error reply: the command failed, the connection goes on (centrifugal.dev, “codes”).
public struct CommandError: Error, Sendable, Equatable {
  /// The code; the application's own are 400–1999.
  public let code: UInt32
  /// What it means, in short.
  public let message: String
  /// Whether the client may try the same again.
  public let isTemporary: Bool

  /// 100: something is wrong in the server, or behind it.
  public static let internalError = CommandError(
    code: 100, message: "internal server error", isTemporary: true)
  static let unauthorized = CommandError(code: 101, message: "unauthorized")
  static let unknownChannel = CommandError(code: 102, message: "unknown channel")
  static let permissionDenied = CommandError(code: 103, message: "permission denied")
  static let methodNotFound = CommandError(code: 104, message: "method not found")
  static let alreadySubscribed = CommandError(code: 105, message: "already subscribed")
  static let limitExceeded = CommandError(code: 106, message: "limit exceeded")
  static let badRequest = CommandError(code: 107, message: "bad request")
  static let notAvailable = CommandError(code: 108, message: "not available")
  static let tokenExpired = CommandError(code: 109, message: "token expired")
  static let expired = CommandError(code: 110, message: "expired")
  static let tooManyRequests = CommandError(code: 111, message: "too many requests", isTemporary: true)
  static let unrecoverablePosition = CommandError(code: 112, message: "unrecoverable position")

  /// How the hub's errors are spelled here.
  init(_ error: HubError) {
    self =
      switch error {
      case .badRequest: .badRequest
      case .unknownChannel: .unknownChannel
      case .permissionDenied: .permissionDenied
      case .alreadySubscribed: .alreadySubscribed
      case .limitExceeded: .limitExceeded
      case .notAvailable: .notAvailable
      case .unrecoverablePosition: .unrecoverablePosition
      case .unsubscribed: .permissionDenied
      default: .internalError
      }
  }

  /// Makes an error.
  public init(code: UInt32, message: String, isTemporary: Bool = false) {
    self.code = code
    self.message = message
    self.isTemporary = isTemporary
  }
}

/// The end of a connection, as a WebSocket close code: clients come back after 3000–3499 and 4000–4499, and stay away
/// after 3500–3999 and 4500–4999.
public struct Disconnect: Error, Sendable, Equatable {
  /// The close code.
  public let code: UInt16
  /// The close reason.
  public let reason: String

  /// Makes an end; nil if the code is none of 3000–4999, or the reason has more than the 123 bytes that a close frame
  /// has room for (RFC 6455 §5.5).
  public init?(checking code: UInt32, reason: String) {
    guard (3_000...4_999).contains(code), reason.utf8.count <= 123 else { return nil }
    self.init(code: UInt16(code), reason: reason)
  }

  init(code: UInt16, reason: String) {
    self.code = code
    self.reason = reason
  }

  /// Whether the connection just ends: as in Centrifugo, clients do not see 3000, but that their transport has closed.
  var isSilent: Bool { code == Self.normal.code }

  /// Whether the client comes back.
  var allowsReturn: Bool { code % 1_000 < 500 }

  /// 3000: nothing is wrong, and clients are not told anything, see ``isSilent``.
  static let normal = Disconnect(code: 3000, reason: "connection closed")
  /// 3001: the server goes down; another may be there already.
  public static let shutdown = Disconnect(code: 3001, reason: "shutdown")
  /// 3005: the connection's token has expired and was not refreshed.
  public static let expired = Disconnect(code: 3005, reason: "connection expired")
  /// 3006: a subscription that the server made has expired and was not refreshed.
  public static let subscriptionExpired = Disconnect(code: 3006, reason: "subscription expired")
  /// 3004: something is wrong in the server, or behind it.
  public static let serverError = Disconnect(code: 3004, reason: "internal server error")
  /// 3008: more waits for the client than the outbound queue may hold.
  public static let slow = Disconnect(code: 3008, reason: "slow")
  /// 3010: what the client has, or is subscribed to, is not what it should be any more.
  public static let insufficientState = Disconnect(code: 3010, reason: "insufficient state")
  /// 3012: no answer to a ping.
  public static let noPong = Disconnect(code: 3012, reason: "no pong")
  /// 3013: many more requests than the limits allow.
  public static let tooManyRequests = Disconnect(code: 3013, reason: "too many requests")
  /// 3500: the token is not valid, or is missing.
  public static let invalidToken = Disconnect(code: 3500, reason: "invalid token")
  /// 3501: what was sent is not the protocol.
  public static let badRequest = Disconnect(code: 3501, reason: "bad request")
  /// 3502: no connect command in time.
  public static let stale = Disconnect(code: 3502, reason: "stale")
  /// 3505: more channels than a client may have.
  public static let channelLimit = Disconnect(code: 3505, reason: "channel limit")
}
