import Gateways
import Realtime
import Synchronization
import Transport

/// What changes in a running server when its configuration is read again. Any thread.
final class ConfigurationReloading: Sendable {
  private let current: Mutex<ServerConfiguration>
  private let hub: Hub
  private let api: HTTPAPI
  private let tls: TLSServerContext?

  init(_ configuration: ServerConfiguration, hub: Hub, api: HTTPAPI, tls: TLSServerContext?) {
    current = Mutex(configuration)
    self.hub = hub
    self.api = api
    self.tls = tls
  }

  /// Reads, and takes over what can change; all of it stays as it is where anything is wrong.
  func reload(_ read: () throws(Problem) -> ServerConfiguration) {
    if let tls { ServerTLS.reload(tls) }
    do {
      let new = try read()
      let changes = current.withLock { current in
        defer { current = new.keeping(current) }
        return ConfigurationChanges(from: current, to: new)
      }
      if changes.inForce.contains("api.keys") { api.use(keys: new.apiKeys) }
      if changes.inForce.contains("namespaces") {
        hub.use(Namespaces(default: new.defaultNamespace, named: new.namespaces))
      }
      Terminal.note("configuration: \(changes.description)")
    } catch {
      Terminal.note("configuration: the old one stays: \(error.message)")
    }
  }
}

/// What differs between two configurations.
struct ConfigurationChanges: CustomStringConvertible {
  /// What a running server takes over.
  static let changeable: Set<String> = ["api.keys", "namespaces"]

  /// Keys of settings that are in force now.
  let inForce: [String]
  /// Keys of settings that wait for a restart.
  let waiting: [String]

  init(from old: ServerConfiguration, to new: ServerConfiguration) {
    var changed = ServerConfiguration.settings.filter { $0.show(old) != $0.show(new) }.map(\.key)
    if old.namespaceTexts != new.namespaceTexts { changed.append("namespaces") }
    inForce = changed.filter(Self.changeable.contains)
    waiting = changed.filter { !Self.changeable.contains($0) }
  }

  var description: String {
    var parts = ["read again"]
    if inForce.isEmpty, waiting.isEmpty { parts.append("nothing has changed") }
    if !inForce.isEmpty { parts.append("in force: " + inForce.joined(separator: ", ")) }
    if !waiting.isEmpty { parts.append("needs a restart: " + waiting.joined(separator: ", ")) }
    return parts.joined(separator: "; ")
  }
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
    kept.apiKeys = apiKeys
    kept.namespaces = namespaces
    kept.defaultNamespace = defaultNamespace
    return kept
  }
}
