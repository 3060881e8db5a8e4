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
  /// The frame of a publication for those who agreed to differences; see the extension.
  func publication(_ publication: Publication, delta: SharedBytes?, channel: String) -> SharedBytes
}

extension WireEncoding {
  /// The frame of a publication for those who agreed to differences: `delta` is the difference from the publication
  /// before; nil sends all of it. Encodings without differences send all of it as ever.
  public func publication(_ publication: Publication, delta: SharedBytes?, channel: String) -> SharedBytes {
    self.publication(publication, channel: channel)
  }
}
