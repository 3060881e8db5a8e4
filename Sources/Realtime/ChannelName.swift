/// What the spelling of a channel's name says.
///
/// - `news:sport`: the part before the first `:` names the namespace; a name without `:` is in the default namespace.
/// - `$chat:room`: a leading `$` marks a private channel, which is entered with a token only.
/// - `dialog#ann,bob`: the users behind the last `#` are the only ones who may enter without a token.
public struct ChannelName: Sendable {
  /// The most bytes of UTF-8 that a name may have.
  public static let maximumByteCount = 255

  /// The whole name.
  public let text: String

  /// Accepts a name of 1 to 255 bytes of UTF-8 without control characters (U+0000–U+001F, U+007F); nil for
  /// others.
  public init?(_ text: String) {
    let bytes = text.utf8
    guard !bytes.isEmpty, bytes.count <= Self.maximumByteCount else { return nil }
    guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return nil }
    self.text = text
  }

  /// The namespace's name; nil for the default namespace. An empty part (`:x`) is a namespace that nobody can
  /// define.
  public var namespace: Substring? {
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let start = isPrivate ? text.utf8.index(after: text.utf8.startIndex) : text.utf8.startIndex
    return start <= colon ? text[start..<colon] : text[colon..<colon]
  }

  /// Whether the name starts with `$`: entered with a token only.
  public var isPrivate: Bool { text.utf8.first == UInt8(ascii: "$") }

  /// Whether the name ends in a list of users: `name#user1,user2`.
  public var isUserLimited: Bool { text.utf8.contains(UInt8(ascii: "#")) }

  /// Whether `user` stands in the list behind the last `#`. Nobody does where there is no list; the anonymous
  /// user, whose identifier is empty, never does.
  public func lists(user: String) -> Bool {
    guard !user.isEmpty, let mark = text.utf8.lastIndex(of: UInt8(ascii: "#")) else { return false }
    let users = text.utf8[text.utf8.index(after: mark)...]
    return users.split(separator: UInt8(ascii: ",")).contains { $0.elementsEqual(user.utf8) }
  }
}
