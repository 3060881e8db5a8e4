import Bytes
import JSON
import Realtime

@testable import Gateways
@testable import martlet

let commandTargets = [
  FuzzTarget("centrifugo-command", checkCommand),
  FuzzTarget("centrifugo-reply", checkReply),
  FuzzTarget("http-api", checkAPI),
  FuzzTarget("token", checkToken),
  FuzzTarget("json-web-keys", checkKeys),
  FuzzTarget("configuration", checkConfiguration),
]

/// What is taken for a command is JSON, and white space changes nothing.
private func checkCommand(_ input: UnsafeRawBufferPointer) throws {
  guard let command = try? CommandDecoder.decode(input) else { return }
  try JSONText.validate(input)
  let compact = JSONText.compact(input)
  let again = try compact.withUnsafeBytes { try CommandDecoder.decode($0) }
  try equal(describe(again), describe(command), "the compact command")
}

private func describe(_ command: CentrifugoCommand) -> String {
  switch command.request {
  case .publish(let channel, let data): "\(command.id) publish \(channel) \(data?.array ?? [])"
  case .connect(let connect):
    "\(command.id) connect \(connect.token) \(connect.data?.array ?? [])"
      + connect.positions.map { "\($0) \($1)" }.sorted().joined()
  default: "\(command)"
  }
}

/// What is taken for a server's message is one JSON text a line.
private func checkReply(_ input: UnsafeRawBufferPointer) throws {
  guard let replies = try? ServerReply.decode(input) else { return }
  let lines = input.split(separator: UInt8(ascii: "\n"))
  try equal(replies.count, lines.count, "a reply each line")
  for line in lines { try JSONText.validate(UnsafeRawBufferPointer(rebasing: line)) }
}

private func checkAPI(_ input: UnsafeRawBufferPointer) throws {
  for method in APIMethod.allCases {
    guard let request = try? APIRequest.decode(method, input) else { continue }
    if !input.isEmpty { try JSONText.validate(input) }
    guard case .success(let call) = request else { continue }
    switch call {
    case .publish(let publish, let channel):
      try hold(!channel.isEmpty, "a channel is named")
      try checkData(publish)
    case .broadcast(let publish, let channels):
      try hold((1...APILimits.maximumBroadcastChannels).contains(channels.count), "channels of a broadcast")
      try checkData(publish)
    case .disconnect(_, let code, let reason):
      try hold((3000...4999).contains(code) && reason.utf8.count <= 123, "a close frame can say it")
    case .batch(let commands, _): try hold(commands.count <= APILimits.maximumBatchCommands, "a batch")
    default: break
    }
  }
}

/// What goes out as it is must be JSON on one line; other bytes, which Base64 may bring, are marked.
private func checkData(_ publish: PublishRequest) throws {
  guard !publish.isUnchecked else { return }
  try publish.data.withUnsafeBytes { text in
    try JSONText.validate(text)
    try hold(!text.contains(UInt8(ascii: "\n")), "JSON on one line")
  }
}

/// No text is a token without the secret; with it, claims come back as they were signed.
private func checkToken(_ input: UnsafeRawBufferPointer) throws {
  let key = try TokenKey(secret: "secret", algorithms: [.hs256])
  let verifier = TokenVerifier(keys: [key], requiresExpiry: false)
  let text = String(decoding: input, as: UTF8.self)
  try hold((try? TokenVerifier(secret: "").verify(text, now: 0)) == nil, "there is no token without a secret")
  if (try? verifier.verify(text, now: 0)) != nil {
    let signed = text.utf8.split(separator: UInt8(ascii: "."))
    let code = HMACCode.make(
      Array(text.utf8.prefix(signed[0].count + signed[1].count + 1)), key: secret, .sha256)
    try equal(
      Base64.encode(code, alphabet: .url, padding: false), String(Substring(signed[2])), "the signature")
  }
  // As claims behind a good signature.
  let head = Base64.encode(Array(#"{"alg":"HS256"}"#.utf8), alphabet: .url, padding: false)
  let signed = head + "." + Base64.encode(input, alphabet: .url, padding: false)
  let code = HMACCode.make(Array(signed.utf8), key: secret, .sha256)
  let token = signed + "." + Base64.encode(code, alphabet: .url, padding: false)
  guard var claims = try? verifier.verify(token, now: 1) else { return }
  try JSONText.validate(input)
  if let info = claims.info { try info.withUnsafeBytes { try JSONText.validate($0) } }
  // The signer writes one audience.
  claims.audiences = Array(claims.audiences.prefix(1))
  let again = try verifier.verify(TokenSigner(secret: "secret").sign(claims), now: 1)
  try equal(again, claims, "claims that were signed")
}

private let secret = Array("secret".utf8)

/// A set of keys has public keys only, and none of them takes a signature of nothing.
private func checkKeys(_ input: UnsafeRawBufferPointer) throws {
  guard let keys = try? JSONWebKeySet.keys(of: Array(input)) else { return }
  try JSONText.validate(input)
  try hold(keys.count <= JSONWebKeySet.maximumKeyCount, "keys of a set")
  for key in keys.prefix(4) {
    try hold(key.algorithms.isDisjoint(with: TokenAlgorithm.hmac), "a public key is no secret")
    for algorithm in key.algorithms {
      for count in [0, 64, 96, 132, 256] {
        let zeros = [UInt8](repeating: 0, count: count)
        try hold(!key.verifies(zeros, of: Array("a.b".utf8), algorithm), "zeros are no signature")
      }
    }
  }
}

/// JSON without double keys is JSON5, and no text makes a server of nonsense.
private func checkConfiguration(_ input: UnsafeRawBufferPointer) throws {
  let text = String(decoding: input, as: UTF8.self)
  let node = Result { () throws(JSON5Error) in try JSON5Reader.read(text) }
  if case .failure(let error) = node {
    try hold(error.position.line >= 1 && error.position.column >= 1, "a complaint has a place")
    if let value = try? JSONValue(parsing: Array(text.utf8), maximumDepth: 30) {
      let isDouble = error.complaint.contains("is set twice")
      try hold(isDouble, "JSON is JSON5: \(error.complaint) in \(value)")
    }
  }
  let reader = ConfigurationReader.read(text, fileName: "f")
  try hold(node.isSuccess || !reader.problems.isEmpty, "what is not JSON5 is complained of")
  guard reader.problems.isEmpty else { return }
  let limits = reader.configuration.limits
  try hold(limits.messageBytes > 0 && limits.queueBytes > 0 && limits.pingMilliseconds > 0, "limits are sane")
  try hold((0...65_535).contains(reader.configuration.port), "the port is one")
}

extension Result {
  fileprivate var isSuccess: Bool { if case .success = self { true } else { false } }
}
