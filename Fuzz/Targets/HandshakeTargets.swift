import Bytes
import HTTPCore
import WebSocketCore

let handshakeTargets = [
  FuzzTarget("handshake-server", checkServer),
  FuzzTarget("handshake-client", checkClient),
]

/// A request that is taken for a handshake is answered by what a client takes for the answer.
private func checkServer(_ input: UnsafeRawBufferPointer) throws {
  var decoder = HTTPRequestDecoder()
  var rest = input
  guard case .head(let head)? = try? decoder.next(&rest) else { return }
  let offered = OpeningHandshake.subprotocols(offered: head)
  try hold(offered.allSatisfy { !$0.isEmpty && !$0.contains(",") }, "subprotocols are a list's members")
  switch OpeningHandshake.serverCheck(head) {
  case .notAnUpgrade: try hold(!head.fields.containsToken("Upgrade", "websocket"), "no upgrade")
  case .reject(let status, _, let reason): try hold(status.code >= 400 && !reason.isEmpty, "a refusal")
  case .upgrade(let key):
    try hold(head.method == .get && head.version == .http11, "GET of HTTP/1.1")
    try equal(Base64.decode(key)?.count, 16, "the key's length")
    var writer = ByteWriter()
    try OpeningHandshake.encodeResponse(key: key, subprotocol: offered.first, into: &writer)
    let answer = try writer.bytes.withUnsafeBytes { bytes in
      var decoder = HTTPResponseDecoder()
      var rest = bytes
      guard case .head(let head)? = try decoder.next(&rest) else {
        throw BrokenProperty(description: "the response is whole")
      }
      return head
    }
    try equal(
      try OpeningHandshake.clientCheck(answer, key: key, offered: offered).subprotocol,
      offered.first, "the subprotocol")
  }
}

/// A response that completes a handshake has all that the RFC asks for.
private func checkClient(_ input: UnsafeRawBufferPointer) throws {
  let key = "dGhlIHNhbXBsZSBub25jZQ=="
  var decoder = HTTPResponseDecoder()
  var rest = input
  guard case .head(let head)? = try? decoder.next(&rest) else { return }
  do {
    let chosen = try OpeningHandshake.clientCheck(head, key: key, offered: ["a", "b"]).subprotocol
    try hold(chosen == nil || chosen == "a" || chosen == "b", "the subprotocol was offered")
  } catch is HandshakeError { return }
  try hold(head.status == .switchingProtocols, "the status is 101")
  try hold(head.fields["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "the key's answer")
}
