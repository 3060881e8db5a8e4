import EventLoops
import HTTPCore
import JSON
import Synchronization
import WebSockets

/// Public keys that an issuer of tokens publishes as a JSON Web Key Set (RFC 7517 §5), fetched over HTTP and fetched
/// again in the background. Lookups from any thread.
///
/// One fetch is under way at a time. While the issuer cannot be reached, or answers nonsense, the last good keys stay.
public final class FetchedKeySet: TokenKeySource {
  /// How keys are fetched; all times in milliseconds.
  public struct Options: Sendable {
    /// How often, where the answer's `Cache-Control: max-age` does not say it.
    public var refreshMilliseconds: UInt64 = 3_600_000
    /// The shortest time between two fetches, whatever the answer says, and however many unknown keys are named.
    public var minimumIntervalMilliseconds: UInt64 = 30_000
    /// The longest time between two fetches, whatever the answer says.
    public var maximumIntervalMilliseconds: UInt64 = 86_400_000
    /// The time for one fetch.
    public var timeoutMilliseconds: UInt64 = 10_000
    /// How the issuer's server is trusted.
    public var tls = TLSClientOptions()
    /// Where failures are noted; nil: nowhere.
    public var log: ServerLog?

    /// Makes options with the defaults.
    public init() {}
  }

  /// The longest answer, in bytes.
  static let maximumAnswerBytes: UInt64 = 262_144
  /// The first pause after a fetch that failed, in milliseconds; it doubles.
  private static let firstPauseMilliseconds: UInt64 = 1_000

  private struct State: Sendable {
    var keys: [TokenKey] = []
    var hasKeys = false
    var isFetching = false
    /// Whether an unknown key may have the set fetched: not so soon after the last time.
    var mayFetch = true
  }

  private let url: WebURL
  private let loop: EventLoop
  private let options: Options
  private let state = Mutex(State())
  private let fetches = Atomic<UInt64>(0)
  private let failures = Atomic<UInt64>(0)
  /// Touched on the loop only.
  nonisolated(unsafe) private var client: HTTPClient?
  nonisolated(unsafe) private var refreshTimer: TimerID?
  nonisolated(unsafe) private var failuresInARow: UInt64 = 0
  nonisolated(unsafe) private var isStopped = false

  /// Names a set; ``start()`` fetches it.
  ///
  /// - Parameters:
  ///   - url: `https`, or `http` where the way is trusted.
  ///   - loop: where fetching is done.
  ///   - options: times, and trust.
  /// - Throws: what is wrong with the URL.
  public init(url: String, on loop: EventLoop, options: Options = Options()) throws(TokenKeyError) {
    do {
      self.url = try WebURL(url, schemes: ["https", "http"])
    } catch {
      throw TokenKeyError(error.description)
    }
    self.loop = loop
    self.options = options
  }

  /// Fetches the set, and goes on doing so.
  public func start() {
    loop.execute { self.fetch() }
  }

  /// Fetches no more: nobody asks for these keys any longer.
  public func stop() {
    loop.execute { [self] in
      isStopped = true
      if let refreshTimer { loop.cancel(refreshTimer) }
      refreshTimer = nil
    }
  }

  /// How often the set was fetched, and how often that failed.
  public var counters: [(name: String, value: UInt64)] {
    [
      ("token_key_fetches", fetches.load(ordering: .relaxed)),
      ("token_key_fetch_failures", failures.load(ordering: .relaxed)),
    ]
  }

  // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
  public func keys(for algorithm: TokenAlgorithm, identifier: String?) -> TokenKeyLookup {
    let (lookup, fetches) = state.withLock { state -> (TokenKeyLookup, Bool) in
      let fitting = state.keys.filter { $0.suits(algorithm, identifier: identifier) }
      if !fitting.isEmpty { return (.known(fitting), false) }
      // A token without `kid` is not of a key that is to come: it would have every such token wait.
      if state.hasKeys, identifier == nil { return (.unknown, false) }
      if state.isFetching { return (.underWay, false) }
      guard state.mayFetch else { return (state.hasKeys ? .unknown : .underWay, false) }
      state.isFetching = true
      return (.underWay, true)
    }
    if fetches { loop.execute { self.fetch(isClaimed: true) } }
    return lookup
  }

  // MARK: Fetching

  /// - Parameter isClaimed: whether `isFetching` was set for this fetch already.
  private func fetch(isClaimed: Bool = false) {
    guard !isStopped else { return }
    let isOurs = state.withLock { state in
      if state.isFetching, !isClaimed { return false }
      state.isFetching = true
      state.mayFetch = false
      return true
    }
    guard isOurs else { return }
    if let refreshTimer { loop.cancel(refreshTimer) }
    fetches.count()
    let client = client ?? makeClient()
    self.client = client
    client.send(
      HTTPClientRequest(
        .get, url, fields: ["Accept": "application/jwk-set+json, application/json"],
        timeoutMilliseconds: options.timeoutMilliseconds, isRepeatable: true)
    ) { [self] in take($0) }
    loop.schedule(after: options.minimumIntervalMilliseconds) { [self] in
      state.withLock { $0.mayFetch = true }
    }
  }

  private func note(_ result: Result<HTTPClientResponse, HTTPClientError>) {
    let reason: LogField =
      switch result {
      case .success(let response) where response.status.code == 200:
        .text("error", "there is no key in the answer that verifies tokens")
      case .success(let response): .number("status", response.status.code)
      case .failure(let error): .text("error", error.description)
      }
    options.log?.write(
      .warning, "the keys of tokens were not fetched", about: .keySet,
      [.text("server", url.authority), reason])
  }

  private func makeClient() -> HTTPClient {
    var options = HTTPClientOptions()
    options.tls = self.options.tls
    options.limits.maximumBodyBytes = Self.maximumAnswerBytes
    return HTTPClient(loop: loop, options: options)
  }

  private func take(_ result: Result<HTTPClientResponse, HTTPClientError>) {
    var keys: [TokenKey] = []
    var pause = options.refreshMilliseconds
    if case .success(let response) = result, response.status.code == 200 {
      keys = (try? JSONWebKeySet.keys(of: response.body)) ?? []
      pause = response.fields.maximumAgeMilliseconds ?? pause
    }
    state.withLock { [keys] state in
      state.isFetching = false
      guard !keys.isEmpty else { return }
      state.keys = keys
      state.hasKeys = true
    }
    if keys.isEmpty {
      failures.count()
      note(result)
      pause = min(options.refreshMilliseconds, Self.firstPauseMilliseconds << min(failuresInARow, 6))
      failuresInARow += 1
    } else {
      failuresInARow = 0
      pause = min(max(pause, options.minimumIntervalMilliseconds), options.maximumIntervalMilliseconds)
    }
    guard !isStopped else { return }
    refreshTimer = loop.schedule(after: pause) { [self] in fetch() }
  }
}

extension HTTPFields {
  /// `Cache-Control: max-age` (RFC 9111 §5.2.2.1), in milliseconds.
  fileprivate var maximumAgeMilliseconds: UInt64? {
    for directive in list("Cache-Control") {
      let parts = directive.lowercased().split(separator: "=", maxSplits: 1)
      guard parts.count == 2, parts[0] == "max-age", let seconds = UInt64(parts[1]) else { continue }
      return seconds.multipliedReportingOverflow(by: 1_000).overflow ? nil : seconds * 1_000
    }
    return nil
  }
}
