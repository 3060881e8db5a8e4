/// Percent-encoding (RFC 3986 §2.1).
public enum PercentEncoding {
  /// Decodes a text.
  ///
  /// - Parameters:
  ///   - text: characters and `%XX` triplets.
  ///   - plusIsSpace: whether `+` stands for a space, as in forms' queries.
  /// - Returns: nil if a triplet is broken or the result is not UTF-8.
  public static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%") {
        guard let high = rest.popFirst().flatMap(ASCII.hexadecimalValue),
          let low = rest.popFirst().flatMap(ASCII.hexadecimalValue)
        else { return nil }
        bytes.append(high << 4 | low)
      } else {
        bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? ASCII.space : byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  /// The values of a query's items, `name=value&…`, in order; items that cannot be decoded are left out.
  public static func queryItems(_ query: String) -> [(name: String, value: String)] {
    query.split(separator: "&").compactMap { item in
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = decode(parts[0], plusIsSpace: true),
        let value = decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
      else { return nil }
      return (name, value)
    }
  }
}
