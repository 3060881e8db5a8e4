import Realtime
import Transport

extension ServerConfiguration {
  /// Settings that cannot be used together, or that could never do what they are for, a line each.
  var contradictions: [String] {
    var lines = tls.contradictions
    if limits.pongMilliseconds >= limits.pingMilliseconds {
      lines.append("limits.pong_seconds must be less than limits.ping_seconds")
    }
    if allowedOrigins.contains("*"), allowedOrigins.count > 1 {
      lines.append("allowed_origins: \"*\" means any origin and cannot stand beside others")
    }
    lines += allowedOrigins.compactMap(Self.complaint(ofOrigin:))
    if proxyProtocol != .off, trustedProxies.isEmpty {
      lines.append("proxy.protocol needs proxy.trusted: whose header is believed")
    }
    if let defaultNamespace {
      lines += defaultNamespace.contradictions.map { "default_namespace: \($0)" }
    }
    for (name, options) in namespaces.sorted(by: { $0.key < $1.key }) {
      lines += options.contradictions.map { "namespaces: \(name): \($0)" }
    }
    return lines
  }

  private static func complaint(ofOrigin text: String) -> String? {
    guard text != "*", !WebOrigin.isOne(text) else { return nil }
    let hint = WebOrigin.suggestion(for: text).map { "; write \(quoted($0))" } ?? ""
    return "allowed_origins: \(quoted(text)) is not what browsers send, scheme://host or scheme://host:port"
      + hint
  }
}

extension NamespaceOptions {
  /// What lacks the history, or the presence, that it is about, a line each.
  fileprivate var contradictions: [String] {
    var lines = historyContradictions
    if !presence.isEmpty, !keepsPresence { lines.append("presence needs keep_presence: true") }
    if forcesJoinLeave, !emitsJoinLeave { lines.append("force_join_leave needs join_leave: true") }
    return lines
  }

  private var historyContradictions: [String] {
    let (hasSize, hasTime) = (historySize > 0, historyTTLMilliseconds > 0)
    if hasSize, hasTime { return [] }
    if hasSize { return ["history_size keeps nothing without history_ttl_seconds"] }
    if hasTime { return ["history_ttl_seconds keeps nothing without history_size"] }
    let needy = [
      ("history", !history.isEmpty), ("allow_recovery", allowsRecovery), ("force_recovery", forcesRecovery),
      ("allow_positioning", allowsPositioning), ("force_positioning", forcesPositioning),
      ("allow_acknowledgement", allowsAcknowledgement),
    ]
    return needy.filter(\.1).map { "\($0.0) needs a history: history_size and history_ttl_seconds" }
  }
}
