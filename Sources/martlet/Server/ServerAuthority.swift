import EventLoops
import Gateways
import Synchronization

/// Who decides who may do what, as the configuration names them: tokens, fetched keys, the application's backend.
final class ServerAuthority: Sendable {
  /// What verifies tokens; changes when the configuration is read again.
  let tokens: CurrentTokens
  let backend: HTTPBackend?
  let revocations = TokenRevocations()
  private let loop: EventLoop?
  private let log: ServerLog
  /// By what they are fetched from, and how often.
  private let keySets = Mutex<[FetchedKeys: FetchedKeySet]>([:])

  /// Where keys come from.
  fileprivate struct FetchedKeys: Hashable, Sendable {
    let url: String
    let refreshMilliseconds: UInt64
  }

  /// A verifier that can be taken into use, and the keys that it needs.
  struct Prepared: Sendable {
    fileprivate var verifier: TokenVerifier
    fileprivate var keySets: [FetchedKeys: FetchedKeySet] = [:]
  }

  /// Begins to fetch keys, where they are fetched.
  ///
  /// - Throws: ``Problem`` for a setting that cannot be used.
  init(
    _ configuration: ServerConfiguration, loops: [EventLoop], log: ServerLog,
    now: @escaping @Sendable () -> UInt64
  ) throws(Problem) {
    self.log = log
    loop = loops.first
    if var options = try configuration.backendOptions() {
      options.log = log
      backend = HTTPBackend(loops: loops, options: options, now: now)
    } else {
      backend = nil
    }
    tokens = CurrentTokens(TokenVerifier(secret: ""))
    use(try prepare(configuration))
  }

  /// Makes what verifies tokens as the configuration says, and changes nothing yet.
  ///
  /// - Throws: ``Problem`` for a file, a secret or a URL that cannot be used.
  func prepare(_ configuration: ServerConfiguration) throws(Problem) -> Prepared {
    var prepared = Prepared(verifier: try configuration.tokenVerifier())
    prepared.verifier.revocations = revocations
    let settings = configuration.tokens
    if !settings.keySetURL.isEmpty {
      prepared.verifier.keySource = try keySet(settings.keySetURL, "token.jwks_url", settings, &prepared)
    }
    for issuer in settings.issuers {
      prepared.verifier.issuers[issuer.name] = TokenIssuer(
        keySource: try keySet(issuer.url, "token.issuers", settings, &prepared), audience: issuer.audience,
        algorithms: issuer.algorithms.isEmpty ? nil : Set(issuer.algorithms))
    }
    return prepared
  }

  /// Verifies tokens so from now on. Keys that are fetched already stay; those that nobody needs any more are not fetched
  /// again.
  func use(_ prepared: Prepared) {
    let old = keySets.withLock { current in
      defer { current = prepared.keySets }
      return current
    }
    for (place, keySet) in prepared.keySets where old[place] == nil { keySet.start() }
    tokens.use(prepared.verifier)
    for (place, keySet) in old where prepared.keySets[place] == nil { keySet.stop() }
  }

  private func keySet(
    _ url: String, _ key: String, _ settings: ServerConfiguration.Tokens, _ prepared: inout Prepared
  ) throws(Problem) -> FetchedKeySet? {
    guard let loop else { return nil }
    let place = FetchedKeys(url: url, refreshMilliseconds: settings.keySetRefreshMilliseconds)
    if let known = prepared.keySets[place] ?? keySets.withLock({ $0[place] }) {
      prepared.keySets[place] = known
      return known
    }
    var options = FetchedKeySet.Options()
    options.refreshMilliseconds = settings.keySetRefreshMilliseconds
    options.log = log
    do {
      let keySet = try FetchedKeySet(url: url, on: loop, options: options)
      prepared.keySets[place] = keySet
      return keySet
    } catch {
      throw .usage("\(key): \(error)")
    }
  }

  /// What is counted of keys and of the backend.
  var counters: [(name: String, value: UInt64)] {
    var fetched: [(name: String, value: UInt64)] = []
    for keySet in keySets.withLock({ Array($0.values) }) {
      for (name, value) in keySet.counters {
        if let index = fetched.firstIndex(where: { $0.name == name }) {
          fetched[index].value &+= value
        } else {
          fetched.append((name, value))
        }
      }
    }
    return fetched + (backend?.counters.values ?? [])
      + [("revocations", UInt64(clamping: revocations.count))]
  }
}
