import Bytes
import JSON
import Realtime

/// The members of any method's request. One name means the same thing in every method, so that one table
/// reads them all; members that are not known are skipped.
struct APIParameters {
  var channel = ""
  var channels: [String] = []
  var data: SharedBytes?
  var b64data: String?
  var tags: [(name: String, value: String)] = []
  var skipsHistory = false
  var idempotencyKey = ""
  var version: UInt64 = 0
  var versionEpoch = ""
  var ttlMilliseconds: UInt64?
  var delayMilliseconds: UInt64 = 0
  var usesDelta = false
  var user = ""
  var client = ""
  var session = ""
  var whitelist: [String] = []
  var disconnect: (code: UInt64, reason: String)?
  var info: SharedBytes?
  var b64info: String?
  var recoverSince: StreamPosition?
  var since: StreamPosition?
  var limit: Int64?
  var reverse = false
  var pattern = ""
  var cursor = ""
  var code: UInt64?
  var overrides = SubscriptionOverrides()
  var tokenIdentifier = ""
  var issuedBefore: UInt64?
  var method = ""
  var parameters: SharedBytes?
  var isExpired = false
  var expiresAt: UInt64?

  init(_ reader: inout JSONReader) throws(JSONError) {
    try reader.readObject { (value, key) throws(JSONError) in
      // `null` counts as absent, except that it is data like any other.
      if !(key == "data"), try value.readNull() { return }
      if try readPublishing(key.string, &value) { return }
      if try readSelecting(key.string, &value) { return }
      try readReading(key.string, &value)
    }
  }

  private mutating func readPublishing(_ key: String, _ value: inout JSONReader) throws(JSONError) -> Bool {
    switch key {
    case "channel": channel = try value.readString()
    case "channels": channels = try value.strings()
    case "data": data = try value.compacted()
    case "b64data": b64data = try value.readString()
    case "tags": tags = try value.tags()
    case "skip_history": skipsHistory = try value.readBool()
    case "idempotency_key": idempotencyKey = try value.readString()
    case "version": version = try value.readUInt64()
    case "version_epoch": versionEpoch = try value.readString()
    case "ttl_ms": ttlMilliseconds = try value.readUInt64()
    case "delay_ms": delayMilliseconds = try value.readUInt64()
    case "delta": usesDelta = try value.readBool()
    default: return false
    }
    return true
  }

  private mutating func readSelecting(_ key: String, _ value: inout JSONReader) throws(JSONError) -> Bool {
    switch key {
    case "user": user = try value.readString()
    case "client": client = try value.readString()
    case "session": session = try value.readString()
    case "whitelist": whitelist = try value.strings()
    case "disconnect": disconnect = try value.disconnect()
    case "info": info = try value.compacted()
    case "b64info": b64info = try value.readString()
    case "expired": isExpired = try value.readBool()
    case "expire_at": expiresAt = try value.readUInt64()
    case "uid": tokenIdentifier = try value.readString()
    case "issued_before": issuedBefore = try value.readUInt64()
    case "code": code = try value.readUInt64()
    case "override": overrides = SubscriptionOverrides(try JSONValue(reading: &value))
    default: return false
    }
    return true
  }

  private mutating func readReading(_ key: String, _ value: inout JSONReader) throws(JSONError) {
    switch key {
    case "recover_since": recoverSince = try value.position()
    case "since": since = try value.position()
    case "limit": limit = try value.readInt64()
    case "reverse": reverse = try value.readBool()
    case "pattern": pattern = try value.readString()
    case "cursor": cursor = try value.readString()
    case "method": method = try value.readString()
    case "params": parameters = try value.compacted()
    default: break
    }
  }
}

extension JSONReader {
  fileprivate mutating func strings() throws(JSONError) -> [String] {
    var strings: [String] = []
    try readArray { (element) throws(JSONError) in strings.append(try element.readString()) }
    return strings
  }

  fileprivate mutating func tags() throws(JSONError) -> [(name: String, value: String)] {
    var tags: [(name: String, value: String)] = []
    try readObject { (value, key) throws(JSONError) in tags.append((key.string, try value.readString())) }
    return tags
  }

  fileprivate mutating func disconnect() throws(JSONError) -> (code: UInt64, reason: String) {
    var disconnect: (code: UInt64, reason: String) = (0, "")
    try readObject { (value, key) throws(JSONError) in
      if key == "code" { disconnect.code = try value.readUInt64() }
      if key == "reason" { disconnect.reason = try value.readString() }
    }
    return disconnect
  }
}
