import Bytes
import JSON
import Realtime

extension TokenClaims {
  /// Reads claims; nil if one of them is not of its kind.
  init?(json: [UInt8]) {
    guard let members = (try? JSONValue(parsing: json))?.objectValue else { return nil }
    for member in members where member.value != .null {
      guard take(member.name, member.value) else { return nil }
    }
    guard json.withUnsafeBytes({ takeSubscriptions($0) }) else { return nil }
    json.withUnsafeBytes { takeRaw($0) }
  }

  /// What others may know is handed on as it was written: a number may be one that no `Double` holds.
  private mutating func takeRaw(_ json: UnsafeRawBufferPointer) {
    var reader = JSONReader(json)
    var (info, meta): ([UInt8]?, [UInt8]?)
    try? reader.readObject { (value, key) throws(JSONError) in
      guard key == "info" || key == "meta", try !value.readNull() else { return }
      let text = JSONText.compact(try value.readRaw())
      if key == "info" { info = text } else { meta = text }
    }
    // What Base64 hides comes before what stands there.
    if self.info == nil { self.info = info }
    self.meta = meta
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
    case "jti": return value.stringValue.map { identifier = $0 } != nil
    case "caps": return Capability.list(value).map { capabilities = $0 } != nil
    case "allow": return Allowances(value).map { allowances = $0 } != nil
    case "channel": return value.stringValue.map { channel = $0 } != nil
    case "channels": return Self.strings(value).map { channels += $0 } != nil
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
    writeSubscriptions(&json)
    for (name, time) in [("exp", expiresAt), ("nbf", notBefore), ("iat", issuedAt), ("expire_at", endsAt)] {
      guard let time else { continue }
      json.key(name)
      json.number(time)
    }
    if let identifier {
      json.key("jti")
      json.string(identifier)
    }
    if !capabilities.isEmpty {
      json.key("caps")
      json.array(capabilities) { json, capability in json.write(capability) }
    }
    if !allowances.isEmpty {
      json.key("allow")
      json.array(allowances.names) { json, name in json.string(name) }
    }
    if let meta {
      json.key("meta")
      json.raw(meta)
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
