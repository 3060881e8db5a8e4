/// A pattern over channel names: `*` stands for any bytes, none included; `?` for one byte; all else for
/// itself.
///
/// Matching keeps one place to come back to, so its time is at most pattern × name, whatever the pattern.
public struct ChannelPattern: Sendable {
  private let bytes: [UInt8]

  /// Makes a pattern. The empty pattern matches every name.
  public init(_ text: String) {
    bytes = text.isEmpty ? [UInt8(ascii: "*")] : Array(text.utf8)
  }

  /// Whether the whole name fits the pattern.
  public func matches(_ name: String) -> Bool {
    let name = Array(name.utf8)
    var (p, n) = (0, 0)
    var resume: (pattern: Int, name: Int)?
    while n < name.count {
      if p < bytes.count, bytes[p] == UInt8(ascii: "*") {
        resume = (p + 1, n)
        p += 1
      } else if p < bytes.count, bytes[p] == name[n] || bytes[p] == UInt8(ascii: "?") {
        p += 1
        n += 1
      } else if let place = resume {
        resume = (place.pattern, place.name + 1)
        (p, n) = (place.pattern, place.name + 1)
      } else {
        return false
      }
    }
    return bytes[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
