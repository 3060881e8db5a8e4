/// Why a connection is closed (RFC 6455 §7.4).
public struct CloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The code as it is on the wire.
  public let rawValue: UInt16

  /// Any code; see ``isSendable``.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// 1000: the purpose of the connection is fulfilled.
  public static let normal = CloseCode(rawValue: 1000)
  /// 1001: a server goes down or a browser leaves the page.
  public static let goingAway = CloseCode(rawValue: 1001)
  /// 1002: the peer broke the protocol.
  public static let protocolError = CloseCode(rawValue: 1002)
  /// 1003: a kind of data that the endpoint cannot take.
  public static let unsupportedData = CloseCode(rawValue: 1003)
  /// 1005: stands for a close frame without a code; never sent.
  public static let noStatus = CloseCode(rawValue: 1005)
  /// 1006: stands for an end without a close frame; never sent.
  public static let abnormal = CloseCode(rawValue: 1006)
  /// 1007: a text that is not UTF-8.
  public static let invalidPayload = CloseCode(rawValue: 1007)
  /// 1008: a message that breaks the endpoint's policy.
  public static let policyViolation = CloseCode(rawValue: 1008)
  /// 1009: a message that is too big.
  public static let messageTooBig = CloseCode(rawValue: 1009)
  /// 1010: the client wanted an extension that the server did not negotiate.
  public static let mandatoryExtension = CloseCode(rawValue: 1010)
  /// 1011: the server met something unexpected.
  public static let internalError = CloseCode(rawValue: 1011)
  /// 1012: the service restarts.
  public static let serviceRestart = CloseCode(rawValue: 1012)
  /// 1013: the service is overloaded.
  public static let tryAgainLater = CloseCode(rawValue: 1013)
  /// 1014: a gateway got an invalid answer from upstream.
  public static let badGateway = CloseCode(rawValue: 1014)
  /// 1015: stands for a failed TLS handshake; never sent.
  public static let tlsHandshake = CloseCode(rawValue: 1015)

  /// Whether the code may stand in a close frame.
  ///
  /// RFC 6455 §7.4.1: 1005, 1006 and 1015 "MUST NOT be set as a status code in a Close control frame by an
  /// endpoint"; §7.4.2: 0–999 "are not used", 1000–2999 are for the protocol, of which those of the IANA registry are
  /// in use, 3000–3999 for libraries and frameworks, 4000–4999 for private use.
  public var isSendable: Bool {
    switch rawValue {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }

  /// The number.
  public var description: String { String(rawValue) }
}
