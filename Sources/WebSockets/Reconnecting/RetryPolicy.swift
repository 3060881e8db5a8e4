import HTTPCore
import Transport
import WebSocketCore

/// Which ends of a connection, and which refusals, are worth another attempt.
public struct RetryPolicy: Sendable {
  /// What to do after a failure.
  public enum Decision: Sendable, Hashable {
    /// Try again after a time.
    case retry
    /// Give up: another attempt would fail the same way.
    case stop
  }

  /// What to do when an open connection was closed with a code. Default: ``standard(for:)-(CloseCode)``.
  public var closeCode: @Sendable (CloseCode) -> Decision
  /// What to do when the server, or a proxy, answered the opening handshake with a status. Default:
  /// ``standard(for:)-(HTTPStatus)``. A client whose tokens expire and which fetches a new one before each attempt
  /// adds 401.
  public var status: @Sendable (HTTPStatus) -> Decision
  /// Attempts that may fail in a row, not counting those before a stable connection; nil for any number (default). 1
  /// makes no second attempt.
  public var maximumAttempts: Int?
  /// How long to go on trying after a stable connection, or after the beginning, in milliseconds; nil for ever
  /// (default). The last attempt is made when this time ends.
  public var giveUpMilliseconds: UInt64?
  /// A server's `Retry-After` is heeded up to this time, in milliseconds. Default 5 min.
  public var maximumRetryAfterMilliseconds: UInt64

  /// Makes a policy.
  public init(
    closeCode: @escaping @Sendable (CloseCode) -> Decision = { RetryPolicy.standard(for: $0) },
    status: @escaping @Sendable (HTTPStatus) -> Decision = { RetryPolicy.standard(for: $0) },
    maximumAttempts: Int? = nil, giveUpMilliseconds: UInt64? = nil,
    maximumRetryAfterMilliseconds: UInt64 = 300_000
  ) {
    self.closeCode = closeCode
    self.status = status
    self.maximumAttempts = maximumAttempts
    self.giveUpMilliseconds = giveUpMilliseconds
    self.maximumRetryAfterMilliseconds = maximumRetryAfterMilliseconds
  }

  /// The decision by close code.
  ///
  /// - 1000 and 1005 stop: the server has said all it has to say.
  /// - 1001, 1006, 1011 to 1014 retry: the server or the network had a difficulty that may pass.
  /// - 1002, 1003, 1007 to 1010, 1015 stop: the same program would meet the same answer.
  /// - 3000 to 3499 and 4000 to 4499 retry, 3500 to 3999 and 4500 to 4999 stop: Centrifugo's convention.
  /// - Codes that mean nothing yet retry.
  public static func standard(for code: CloseCode) -> Decision {
    switch code.rawValue {
    case 1000, 1005: .stop
    case 1002, 1003, 1007...1010, 1015: .stop
    case 3500...3999, 4500...4999: .stop
    default: .retry
    }
  }

  /// The decision by HTTP status: 408, 425, 429 and 5xx retry; the others say that there is no WebSocket for this
  /// client.
  public static func standard(for status: HTTPStatus) -> Decision {
    switch status.code {
    case 408, 425, 429, 500...599: .retry
    default: .stop
    }
  }

  /// The decision about a connection that could not be opened, or that has ended.
  public func decision(for error: WebSocketError) -> Decision {
    if let code = error.closeCode { return closeCode(code) }
    if let status = error.status { return self.status(status) }
    return switch error.code {
    case .invalidURL, .invalidOptions, .invalidProxy, .redirectRefused, .cancelled: .stop
    // A certificate does not get better; a handshake that was cut may.
    case .tlsFailed where (error.cause as? TransportError)?.code == .certificateRejected: .stop
    default: .retry
    }
  }

  /// What a `Retry-After` of an error adds to the delay, in milliseconds.
  public func retryAfterMilliseconds(of error: WebSocketError) -> UInt64 {
    guard let seconds = error.retryAfterSeconds else { return 0 }
    let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
    return overflow ? maximumRetryAfterMilliseconds : min(milliseconds, maximumRetryAfterMilliseconds)
  }
}
