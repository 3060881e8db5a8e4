import Bytes

/// How one wire protocol spells what subscribers are sent. The hub calls it on the loop that owns the
/// channel, once for each publication, join and leave, if at least one subscriber uses the encoding; all
/// subscribers get the same bytes.
public protocol WireEncoding: Sendable {
  /// The frame for a publication, ready for the connection's queue.
  func publication(_ publication: Publication, channel: String) -> SharedBytes
  /// The frame that says that a client subscribed.
  func joined(_ info: ClientInfo, channel: String) -> SharedBytes
  /// The frame that says that a client is no longer subscribed.
  func left(_ info: ClientInfo, channel: String) -> SharedBytes
}
