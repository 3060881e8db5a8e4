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
      options.historySize = 100
      options.historyTTLMilliseconds = 86_400_000
      if name == "devices" { keepTwoMinutes(&options) }
      options.allowsRecovery = true
      if name != "news" {
        options.presence = .everyone
        options.keepsPresence = true
        options.emitsJoinLeave = true
      }
      namespaces[name] = options
    }
  }

  /// The monitor shows two minutes: of twenty devices that report twice a second, these are so many.
  private func keepTwoMinutes(_ options: inout NamespaceOptions) {
    options.historySize = 4_800
    options.historyTTLMilliseconds = 120_000
    // A quarter of a megabyte a page.
    options.maximumHistoryPublications = 1_200
  }
}
