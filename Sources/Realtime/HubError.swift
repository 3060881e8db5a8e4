/// Why the hub did not do what it was asked. Each gateway spells these in its protocol's codes.
public struct HubError: Error, Sendable, Hashable, CustomStringConvertible {
  private enum Code: String, Sendable {
    case badRequest, unknownChannel, permissionDenied, alreadySubscribed, limitExceeded, notAvailable
    case unrecoverablePosition, unsubscribed, closed
  }

  private let code: Code

  /// The channel's name, or another parameter, is not acceptable.
  public static let badRequest = HubError(code: .badRequest)
  /// The channel's namespace is not known.
  public static let unknownChannel = HubError(code: .unknownChannel)
  /// The client may not do this here.
  public static let permissionDenied = HubError(code: .permissionDenied)
  /// The client is subscribed already, or about to be.
  public static let alreadySubscribed = HubError(code: .alreadySubscribed)
  /// A limit is reached: channels of a client, channels of the hub, bytes of a message or of a key.
  public static let limitExceeded = HubError(code: .limitExceeded)
  /// History or presence is off in this namespace.
  public static let notAvailable = HubError(code: .notAvailable)
  /// The position asked for is of another epoch, or is gone.
  public static let unrecoverablePosition = HubError(code: .unrecoverablePosition)
  /// The subscription was ended before it had begun.
  public static let unsubscribed = HubError(code: .unsubscribed)
  /// The subscriber was removed from the hub.
  public static let closed = HubError(code: .closed)

  /// The code's name.
  public var description: String { code.rawValue }
}
