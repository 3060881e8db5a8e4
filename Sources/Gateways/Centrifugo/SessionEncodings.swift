import Realtime
import WebSocketCore

/// Where the frames of one kind of client are among the hub's encodings.
struct SessionEncodings {
  private let plain: Int
  private let compressed: (index: Int, encoding: CompressedEncoding)?

  init(plain: Int, among hub: Hub, where isBase: (any WireEncoding) -> Bool) {
    self.plain = plain
    var compressed: (Int, CompressedEncoding)?
    for (index, encoding) in hub.encodings.enumerated() {
      if let encoding = encoding as? CompressedEncoding, isBase(encoding.base) {
        compressed = (index, encoding)
      }
    }
    self.compressed = compressed
  }

  /// Frames that are compressed for all who can take them, plain ones for the others.
  func index(for agreement: DeflateAgreement?) -> Int {
    if let compressed, compressed.encoding.suits(agreement) { return compressed.index }
    return plain
  }
}

/// What a session has to know of its connection's opening handshake.
final class SessionHandshake {
  let encoding: ClientEncoding
  let headers: [(name: String, value: String)]
  let address: CountedAddress

  init(encoding: ClientEncoding, headers: [(name: String, value: String)], address: CountedAddress) {
    self.encoding = encoding
    self.address = address
    self.headers = headers
  }
}
