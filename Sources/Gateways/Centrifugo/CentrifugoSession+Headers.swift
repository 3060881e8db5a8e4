import HTTPCore

/// The fields of a client's request that its backend wants to see.
extension CentrifugoSession {
  /// The most fields that are kept.
  static let maximumHeaders = 32
  /// The most bytes of their names and values.
  static let maximumHeaderBytes = 8_192

  /// Keeps what the connect command brings; it replaces a field of the HTTP request of the same name. What the backend
  /// does not want is dropped, and so is what is beyond the limits.
  func keep(_ emulated: [(name: String, value: String)]) {
    let wanted = options.backend.keptHeaders
    guard !wanted.isEmpty, !emulated.isEmpty else { return }
    var kept = emulated.compactMap { field in
      let name = field.name.lowercased()
      // A line break in a value would begin another field of the backend's request.
      let isText = field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
      return isText && wanted.contains(name) ? (name: name, value: field.value) : nil
    }
    kept += headers.filter { field in !kept.contains { $0.name == field.name } }
    headers = Self.limited(kept)
  }

  static func limited(_ fields: [(name: String, value: String)]) -> [(name: String, value: String)] {
    var byteCount = 0
    return fields.prefix(maximumHeaders).filter { field in
      byteCount += field.name.utf8.count + field.value.utf8.count
      return byteCount <= maximumHeaderBytes
    }
  }
}

extension CentrifugoOptions {
  /// The fields of a client's request that the backend wants to see.
  func keptHeaders(of head: HTTPRequestHead) -> [(name: String, value: String)] {
    CentrifugoSession.limited(
      backend.keptHeaders.flatMap { name in head.fields.values(of: name).map { (name, $0) } })
  }
}
