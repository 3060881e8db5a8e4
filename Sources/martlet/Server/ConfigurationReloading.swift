import Gateways
import Realtime
import Synchronization
import Transport

/// What changes in a running server when its configuration is read again. Any thread.
final class ConfigurationReloading: Sendable {
  private let current: Mutex<ServerConfiguration>
  private let log: ServerLog
  private let tls: TLSServerContext?
  private let check: @Sendable (ServerConfiguration) throws(Problem) -> ServerAuthority.Prepared
  private let apply: @Sendable (ServerConfiguration, ServerAuthority.Prepared, ConfigurationChanges) -> Void

  /// - Parameters:
  ///   - check: refuses what cannot be used, such as a missing file, and changes nothing.
  ///   - apply: takes over what can change.
  init(
    _ configuration: ServerConfiguration, log: ServerLog, tls: TLSServerContext?,
    check: @escaping @Sendable (ServerConfiguration) throws(Problem) -> ServerAuthority.Prepared,
    apply: @escaping @Sendable (ServerConfiguration, ServerAuthority.Prepared, ConfigurationChanges) -> Void
  ) {
    current = Mutex(configuration)
    self.log = log
    self.tls = tls
    self.check = check
    self.apply = apply
  }

  /// Reads, and takes over what can change; all of it stays as it is where anything is wrong.
  func reload(_ read: () throws(Problem) -> ServerConfiguration) {
    if let tls { reload(tls) }
    do {
      let new = try read()
      let prepared = try check(new)
      let changes = current.withLock { current in
        defer { current = new.keeping(current) }
        return ConfigurationChanges(from: current, to: new)
      }
      apply(new, prepared, changes)
      log.write(.info, "the configuration was read again", changes.fields)
    } catch {
      log.write(.error, "the configuration has a mistake; the old one stays", [.text("error", error.message)])
    }
  }

  private func reload(_ tls: TLSServerContext) {
    if let problem = ServerTLS.reload(tls) {
      log.write(.error, "the certificates cannot be used; the old ones stay", [.text("error", problem)])
    } else {
      log.write(.info, "certificates and keys were read again")
    }
  }
}

/// What differs between two configurations.
struct ConfigurationChanges: Sendable {
  /// What a running server takes over, besides namespaces and all of `token` and `rate_limits`.
  private static let changeable: Set<String> = [
    "api.keys", "api.insecure", "allowed_origins", "allow_anonymous", "metrics.allowed", "log.level",
    "limits.message_bytes", "limits.queue_bytes", "limits.connect_seconds", "limits.ping_seconds",
    "limits.pong_seconds", "limits.channels_per_connection", "limits.channels_per_loop",
    "poll.wait_seconds", "poll.gap_seconds", "poll.sessions_per_loop",
  ]

  /// Keys of settings that are in force now.
  let inForce: [String]
  /// Keys of settings that wait for a restart.
  let waiting: [String]

  init(from old: ServerConfiguration, to new: ServerConfiguration) {
    let changed = ServerConfiguration.settings.filter { $0.show(old) != $0.show(new) }.map(\.key)
    let namespaces = old.namespaceTexts == new.namespaceTexts ? [] : ["namespaces"]
    inForce = changed.filter(Self.isChangeable) + namespaces
    waiting = changed.filter { !Self.isChangeable($0) }
  }

  static func isChangeable(_ key: String) -> Bool {
    changeable.contains(key) || key.hasPrefix("token.") || key.hasPrefix("rate_limits.")
  }

  /// For the log.
  var fields: [LogField] { [.texts("in_force", inForce), .texts("needs_restart", waiting)] }
}

extension ServerConfiguration {
  /// Each namespace's settings as text; the one without a name is "".
  fileprivate var namespaceTexts: [String: [String]] {
    var texts = namespaces.mapValues { options in NamespaceOptions.settings.map { $0.show(options) } }
    if let options = defaultNamespace { texts[""] = NamespaceOptions.settings.map { $0.show(options) } }
    return texts
  }

  /// With what is not taken over as it was, so that it is named again until there is a restart.
  fileprivate func keeping(_ running: ServerConfiguration) -> ServerConfiguration {
    var kept = running
    for setting in Self.settings where ConfigurationChanges.isChangeable(setting.key) {
      setting.copy(self, &kept)
    }
    kept.namespaces = namespaces
    kept.defaultNamespace = defaultNamespace
    return kept
  }
}
