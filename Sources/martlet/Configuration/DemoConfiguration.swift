import Realtime

extension ServerConfiguration {
  /// What `--demo` opens to everyone.
  static let demoNamespaces = ["chat", "news", "devices"]
  static let demoKey = "demo-key"

  /// Opens the namespaces of the demo pages to anonymous clients, and the HTTP API to a key that everybody knows, unless
  /// the configuration has keys.
  mutating func openForDemo() {
    allowsAnonymous = true
    if apiKeys.isEmpty { apiKeys = [Self.demoKey] }
    for name in Self.demoNamespaces where namespaces[name] == nil {
      var options = NamespaceOptions()
      options.subscribe = .everyone
      options.publish = .everyone
      options.history = .everyone
      options.historySize = name == "devices" ? 600 : 100
      options.historyTTLMilliseconds = name == "devices" ? 600_000 : 86_400_000
      options.allowsRecovery = true
      if name != "news" {
        options.presence = .everyone
        options.keepsPresence = true
        options.emitsJoinLeave = true
      }
      namespaces[name] = options
    }
  }
}
