/// Reads the format as its description says, and nothing else.
public enum FossilReader {
  /// The target; nil where the delta is none, or not of this source.
  public static func apply(_ delta: [UInt8], to source: [UInt8]) -> [UInt8]? {
    var rest = delta[...]
    guard let size = number(&rest), rest.popFirst() == UInt8(ascii: "\n") else { return nil }
    var output: [UInt8] = []
    while let value = number(&rest), let command = rest.popFirst() {
      switch command {
      case UInt8(ascii: "@"):
        guard let offset = number(&rest), rest.popFirst() == UInt8(ascii: ","), offset + value <= source.count
        else {
          return nil
        }
        output += source[offset..<offset + value]
      case UInt8(ascii: ":"):
        guard value <= rest.count else { return nil }
        output += rest.prefix(value)
        rest = rest.dropFirst(value)
      case UInt8(ascii: ";"):
        return output.count == size && checksum(output) == value && rest.isEmpty ? output : nil
      default: return nil
      }
    }
    return nil
  }

  private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
    let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~".utf8)
    var value: Int?
    while let first = rest.first, let digit = digits.firstIndex(of: first) {
      value = (value ?? 0) << 6 | digit
      rest.removeFirst()
    }
    return value
  }

  /// The sum of words of four bytes, the first byte the highest.
  private static func checksum(_ bytes: [UInt8]) -> Int {
    var sum = 0
    for start in stride(from: 0, to: bytes.count, by: 4) {
      var word = 0
      for index in start..<start + 4 { word = word << 8 | (index < bytes.count ? Int(bytes[index]) : 0) }
      sum = (sum + word) & 0xffff_ffff
    }
    return sum
  }
}
