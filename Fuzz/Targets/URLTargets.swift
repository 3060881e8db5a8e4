import Bytes
import HTTPCore
import WebSocketCore

let urlTargets = [
  FuzzTarget("url", checkURL),
  FuzzTarget("percent", checkPercent),
]

/// A URL that is taken can be asked for, and the server sees the same host and target.
private func checkURL(_ input: UnsafeRawBufferPointer) throws {
  let schemes = ["ws", "wss", "http", "https"]
  guard let url = try? WebURL(String(decoding: input, as: UTF8.self), schemes: schemes) else { return }
  try hold(schemes.contains(url.scheme) && (1...65_535).contains(url.port), "scheme and port")
  try hold(url.target.hasPrefix("/") && !url.target.contains("#"), "the target is a path")
  let again = try WebURL(url.description, schemes: schemes)
  try hold(again.host == url.host && again.port == url.port && again.target == url.target, "the same again")
  var writer = ByteWriter()
  try HTTPEncoder.encode(
    OpeningHandshake.request(url: url, key: "dGhlIHNhbXBsZSBub25jZQ=="), into: &writer)
  var decoder = HTTPRequestDecoder()
  try writer.bytes.withUnsafeBytes { bytes in
    var rest = bytes
    do {
      guard case .head(let head) = try decoder.next(&rest) else {
        throw BrokenProperty(description: "a request is whole")
      }
      try equal(head.target, url.target, "the target")
      try equal(head.fields["Host"], url.authority, "the host")
      guard case .upgrade = OpeningHandshake.serverCheck(head) else {
        throw BrokenProperty(description: "a request is an opening handshake")
      }
    } catch let error as HTTPDecodingError {
      try hold(
        error.suggestedStatus == .uriTooLong || error.suggestedStatus == .headerFieldsTooLarge, "\(error)")
    }
  }
}

private func checkPercent(_ input: UnsafeRawBufferPointer) throws {
  let text = String(decoding: input, as: UTF8.self)
  // Everything encoded comes back.
  let encoded = text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  try equal(PercentEncoding.decode(encoded), text, "decoding what was encoded")
  if !text.utf8.contains(UInt8(ascii: "%")) {
    try equal(PercentEncoding.decode(text), text, "a text without %")
  }
  let items = PercentEncoding.queryItems(text)
  try hold(items.count <= text.utf8.count { $0 == UInt8(ascii: "&") } + 1, "an item at most each &")
  if let decoded = PercentEncoding.decode(text, plusIsSpace: true) {
    try hold(decoded.utf8.count <= text.utf8.count, "a text does not grow")
    if !text.isEmpty, text.utf8.allSatisfy({ $0 != UInt8(ascii: "&") && $0 != UInt8(ascii: "=") }) {
      try equal(items.first?.name, decoded, "a name alone")
    }
  }
}
