import EventLoops
import Gateways

/// Who decides who may do what, as the configuration names them: tokens, fetched keys, the application's backend.
struct ServerAuthority: Sendable {
  var tokens: TokenVerifier
  var backend: HTTPBackend?
  let revocations = TokenRevocations()
  private var keySet: FetchedKeySet?

  /// Begins to fetch keys, where they are fetched.
  ///
  /// - Throws: ``Problem`` for a setting that cannot be used.
  init(
    _ configuration: ServerConfiguration, loops: [EventLoop], now: @escaping @Sendable () -> UInt64
  ) throws(Problem) {
    tokens = try configuration.tokenVerifier()
    tokens.revocations = revocations
    if !configuration.tokens.keySetURL.isEmpty, let loop = loops.first {
      var options = FetchedKeySet.Options()
      options.refreshMilliseconds = configuration.tokens.keySetRefreshMilliseconds
      do {
        let keySet = try FetchedKeySet(url: configuration.tokens.keySetURL, on: loop, options: options)
        self.keySet = keySet
        tokens.keySource = keySet
        keySet.start()
      } catch {
        throw .usage("token.jwks_url: \(error)")
      }
    }
    if let options = try configuration.backendOptions() {
      backend = HTTPBackend(loops: loops, options: options, now: now)
    }
  }

  /// What is counted of keys and of the backend.
  var counters: [(name: String, value: UInt64)] {
    (keySet?.counters ?? []) + (backend?.counters.values ?? [])
      + [("revocations", UInt64(clamping: revocations.count))]
  }
}
