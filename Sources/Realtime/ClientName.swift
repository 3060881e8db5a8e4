import Bytes

/// A client's identifier in memory. Servers name their clients by UUIDs: as text one has 36 bytes, and an allocation of its
/// own for each connection; as a number it has 16, and its text is made when it is asked for.
enum ClientName: Sendable, Hashable {
  case uuid(UInt64, UInt64)
  case text(String)

  /// Any text; it comes back as it was.
  init(_ text: String) {
    self = UUIDText.read(text).map { .uuid($0.high, $0.low) } ?? .text(text)
  }

  var text: String {
    switch self {
    case .uuid(let high, let low): UUIDText.make(high, low)
    case .text(let text): text
    }
  }
}
