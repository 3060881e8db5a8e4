import Bytes

/// A user name and a password for the Basic scheme (RFC 7617).
public struct BasicCredentials: Hashable, Sendable {
  /// The user name, without a colon.
  public let user: String
  /// The password; may be empty.
  public let password: String

  /// Makes credentials.
  ///
  /// - Returns: nil if the user name has a colon (RFC 7617 §2: it would begin the password) or either has a control
  ///   character.
  public init?(user: String, password: String) {
    let isPrintable = (user + password).utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    guard isPrintable, !user.utf8.contains(UInt8(ascii: ":")) else { return nil }
    self.user = user
    self.password = password
  }

  /// Reads the `user:password` of a URL. Percent-encoding is undone behind the split, so that a password may have
  /// any character.
  ///
  /// - Returns: nil if the percent-encoding is broken or the credentials cannot be sent.
  public init?(userInfo: String) {
    guard let (user, password) = Self.split(userInfo: userInfo) else { return nil }
    self.init(user: user, password: password)
  }

  /// The value of an `Authorization` or `Proxy-Authorization` field.
  public var fieldValue: String { "Basic " + Base64.encode(Array("\(user):\(password)".utf8)) }

  /// The user name and password of a URL, percent-encoding undone; nil if it is broken.
  package static func split(userInfo: String) -> (user: String, password: String)? {
    let parts = userInfo.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let user = PercentEncoding.decode(parts[0]),
      let password = PercentEncoding.decode(parts.count > 1 ? parts[1] : "")
    else { return nil }
    return (user, password)
  }
}
