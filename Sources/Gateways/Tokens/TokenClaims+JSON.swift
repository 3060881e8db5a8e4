import Bytes
import JSON

extension TokenClaims {
  /// Reads claims; nil if one of them is not of its kind.
  init?(json: [UInt8]) {
    guard let members = (try? JSONValue(parsing: json))?.objectValue else { return nil }
    for member in members where member.value != .null {
      guard take(member.name, member.value) else { return nil }
    }
    if info == nil { info = json.withUnsafeBytes { Self.information(in: $0) } }
  }

  /// What others may know is handed on as it was written: a number may be one that no `Double` holds.
  private static func information(in json: UnsafeRawBufferPointer) -> [UInt8]? {
    var reader = JSONReader(json)
    var info: [UInt8]?
    try? reader.readObject { (value, key) throws(JSONError) in
      guard key == "info", try !value.readNull() else { return }
      info = JSONText.compact(try value.readRaw())
    }
    return info
  }

  private mutating func take(_ name: String, _ value: JSONValue) -> Bool {
    switch name {
    case "sub": return value.stringValue.map { user = $0 } != nil
    case "exp": return Self.time(value).map { expiresAt = $0 } != nil
    case "nbf": return Self.time(value).map { notBefore = $0 } != nil
    case "iat": return Self.time(value).map { issuedAt = $0 } != nil
    case "expire_at": return Self.time(value).map { endsAt = $0 } != nil
    case "iss": return value.stringValue.map { issuer = $0 } != nil
    case "aud": return Self.strings(value).map { audiences = $0 } != nil
    case "channel": return value.stringValue.map { channel = $0 } != nil
    case "channels": return Self.strings(value).map { channels += $0 } != nil
    case "subs": return value.objectValue.map { channels += $0.map(\.name) } != nil
    case "b64info":
      guard let bytes = value.stringValue.flatMap({ Base64.decode($0) }) else { return false }
      return takeInfo(bytes)
    default: return true
    }
  }

  private mutating func takeInfo(_ bytes: [UInt8]) -> Bool {
    guard (try? JSONValue(parsing: bytes)) != nil else { return false }
    info = bytes.withUnsafeBytes { JSONText.compact($0) }
    return true
  }

  /// RFC 7519 §2: NumericDate may have a fraction.
  private static func time(_ value: JSONValue) -> UInt64? {
    value.doubleValue.flatMap { $0 >= 0 && $0 < 1e15 ? UInt64($0) : nil }
  }

  private static func strings(_ value: JSONValue) -> [String]? {
    if let one = value.stringValue { return [one] }
    guard let all = value.arrayValue else { return nil }
    let strings = all.compactMap(\.stringValue)
    return strings.count == all.count ? strings : nil
  }

  /// The claims as a JSON object.
  var encoded: [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("sub")
    json.string(user)
    if let channel {
      json.key("channel")
      json.string(channel)
    }
    if !channels.isEmpty {
      json.key("channels")
      json.beginArray()
      for channel in channels { json.string(channel) }
      json.endArray()
    }
    for (name, time) in [("exp", expiresAt), ("nbf", notBefore), ("iat", issuedAt), ("expire_at", endsAt)] {
      guard let time else { continue }
      json.key(name)
      json.number(time)
    }
    if let issuer {
      json.key("iss")
      json.string(issuer)
    }
    if let audience = audiences.first {
      json.key("aud")
      json.string(audience)
    }
    if let info {
      json.key("info")
      json.raw(info)
    }
    json.endObject()
    return json.bytes
  }
}
