import Bytes
import JSON
import Realtime

/// What a backend answers: `{"result":{…}}`, `{"error":{…}}` or `{"disconnect":{…}}`.
enum BackendReply {
  case result(BackendResult)
  case refusal(SessionRefusal)

  /// Nil for what is none of these.
  init?(_ text: [UInt8], encoding: ClientEncoding) {
    guard let reply = try? JSONValue(parsing: text, maximumDepth: 128) else { return nil }
    if let disconnect = reply["disconnect"], disconnect != .null {
      guard let code = disconnect["code"]?.intValue, let code = UInt32(exactly: code),
        let end = Disconnect(checking: code, reason: disconnect["reason"]?.stringValue ?? "")
      else { return nil }
      self = .refusal(.disconnect(end))
    } else if let error = reply["error"], error != .null {
      guard let code = error["code"]?.intValue, let code = UInt32(exactly: code), code > 0 else { return nil }
      self = .refusal(
        .error(
          CommandError(
            code: code, message: error["message"]?.stringValue ?? "",
            isTemporary: error["temporary"] == .bool(true))))
    } else if let result = reply["result"], result.objectValue != nil {
      self = .result(BackendResult(result, raw: BackendResult.rawMembers(of: text), encoding: encoding))
    } else {
      return nil
    }
  }
}

/// The members of a result, each read when it is asked for. What is handed on to clients is handed on as it was written.
struct BackendResult {
  let value: JSONValue
  private let raw: [String: SharedBytes]
  private let encoding: ClientEncoding

  init(_ value: JSONValue, raw: [String: SharedBytes] = [:], encoding: ClientEncoding) {
    self.value = value
    self.raw = raw
    self.encoding = encoding
  }

  /// The texts of those members of the result that are payloads; those of subscriptions under their channels.
  static func rawMembers(of text: [UInt8]) -> [String: SharedBytes] {
    var found: [String: SharedBytes] = [:]
    text.withUnsafeBytes { bytes in
      var reader = JSONReader(bytes)
      try? reader.readObject { (reader, key) throws(JSONError) in
        guard key == "result" else { return }
        guard try reader.peekKind() == .object else { return }
        try payloads(&reader, "", &found)
      }
    }
    return found
  }

  private static func payloads(
    _ reader: inout JSONReader, _ prefix: String, _ found: inout [String: SharedBytes]
  ) throws(JSONError) {
    try reader.readObject { (reader, key) throws(JSONError) in
      switch key {
      case "data", "info", "meta":
        let name = prefix + key.string
        if try !reader.readNull() { found[name] = try reader.compacted() }
      case "subs" where prefix.isEmpty:
        guard try reader.peekKind() == .object else { return }
        try reader.readObject { (reader, channel) throws(JSONError) in
          guard try reader.peekKind() == .object else { return }
          try payloads(&reader, channel.string + "\u{0}", &found)
        }
      default: break
      }
    }
  }

  /// A payload in the client's encoding: `<name>`, or what `b64<name>` hides. Nil if there is none; for a client of JSON
  /// also if it hides something that is not JSON, which would break the client's messages.
  func payload(_ name: String, of channel: String? = nil) -> SharedBytes? {
    let prefix = channel.map { $0 + "\u{0}" } ?? ""
    let holder = channel.flatMap { value["subs"]?[$0] } ?? value
    guard let text = holder["b64\(name)"]?.stringValue, !text.isEmpty else { return raw[prefix + name] }
    guard let bytes = Base64.decode(text) else { return nil }
    guard encoding == .json else { return SharedBytes.make(copying: bytes) }
    guard bytes.withUnsafeBytes({ (try? JSONText.validate($0)) != nil }) else { return nil }
    return SharedBytes.make(copying: bytes.withUnsafeBytes { JSONText.compact($0) })
  }

  /// JSON for the server itself.
  var meta: SharedBytes? { raw["meta"] }

  /// A time in seconds since 1970; 0 is none.
  static func time(_ value: JSONValue?) -> UInt64? {
    value?.intValue.flatMap { UInt64(exactly: $0) }.flatMap { $0 == 0 ? nil : $0 }
  }
}
