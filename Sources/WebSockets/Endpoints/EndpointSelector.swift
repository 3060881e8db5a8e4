/// Chooses among several endpoints, and leaves out those that fail. A value: time, in milliseconds of any clock that
/// does not go back, and randomness are passed in.
///
/// What was chosen is reported back: ``succeeded(_:)`` or ``failed(_:now:)`` when a connection was tried, and
/// ``began(_:)`` and ``ended(_:)`` around what counts as load for `leastConnections`.
public struct EndpointSelector: Sendable {
  /// How the next endpoint is found.
  public enum Strategy: String, Sendable, Hashable, CaseIterable {
    /// Each in turn, smoothly by weight: weights 3 and 1 give A A B A.
    case roundRobin = "round-robin"
    /// The one with the least load for its weight; each in turn among equals.
    case leastConnections = "least-connections"
    /// By chance, in proportion to the weights.
    case random = "random"
    /// The first one that works, in the order given; weights do not matter.
    case failover = "failover"
  }

  /// When an endpoint counts as unhealthy.
  public struct Health: Sendable, Hashable {
    /// Failures in a row that make it unhealthy; 0 never does. Default 3.
    public var maximumFailures: Int
    /// How long it is left out then, in milliseconds. After that it gets one trial at a time, which decides. Default 10 s.
    public var coolDownMilliseconds: UInt64

    /// Makes a rule.
    public init(maximumFailures: Int = 3, coolDownMilliseconds: UInt64 = 10_000) {
      self.maximumFailures = maximumFailures
      self.coolDownMilliseconds = coolDownMilliseconds
    }
  }

  /// One endpoint and what is known of it.
  public struct Endpoint: Sendable, Hashable {
    /// Its URL.
    public let url: String
    /// Its share, at least 1.
    public let weight: Int
    /// What was begun and has not ended.
    public internal(set) var load = 0
    /// Failures in a row.
    public internal(set) var failures = 0
    /// Left out until then; nil if healthy.
    public internal(set) var unhealthyUntil: UInt64?
    /// Smooth weighted round robin: what it is owed.
    var credit = 0

    /// Makes a healthy endpoint.
    public init(_ url: String, weight: Int = 1) {
      self.url = url
      self.weight = min(max(1, weight), 1_000_000)
    }
  }

  /// The endpoints, in the order given.
  public internal(set) var endpoints: [Endpoint]
  /// How the next one is found.
  public let strategy: Strategy
  private let health: Health
  /// Where the search among equals begins.
  var turn = 0

  /// Makes a selector of healthy endpoints without load.
  public init(_ endpoints: [Endpoint], strategy: Strategy = .roundRobin, health: Health = Health()) {
    self.endpoints = endpoints
    self.strategy = strategy
    self.health = health
  }

  /// Chooses an endpoint.
  ///
  /// - Parameters:
  ///   - now: the time.
  ///   - random: used by the strategy `random` only.
  ///   - isEligible: leaves out others, by their index.
  /// - Returns: its index; nil if none is healthy or due for a trial.
  public mutating func select(
    now: UInt64, using random: inout some RandomNumberGenerator,
    where isEligible: (Int) -> Bool = { _ in true }
  ) -> Int? {
    let candidates = endpoints.indices.filter { isAvailable($0, now: now) && isEligible($0) }
    guard let chosen = choose(candidates, using: &random) else { return nil }
    // A trial under way: no second one before it has failed, or has been silent for as long.
    if endpoints[chosen].unhealthyUntil != nil {
      endpoints[chosen].unhealthyUntil = later(now, health.coolDownMilliseconds)
    }
    return chosen
  }

  /// Chooses an endpoint even if none is healthy: then the one that is due for a trial first.
  ///
  /// - Returns: its index; nil if there is no endpoint.
  public mutating func selectAny(now: UInt64, using random: inout some RandomNumberGenerator) -> Int? {
    if let chosen = select(now: now, using: &random) { return chosen }
    return endpoints.indices.min {
      (endpoints[$0].unhealthyUntil ?? 0, $0) < (endpoints[$1].unhealthyUntil ?? 0, $1)
    }
  }

  /// Whether `select` may choose it.
  public func isAvailable(_ index: Int, now: UInt64) -> Bool {
    endpoints[index].unhealthyUntil.map { $0 <= now } ?? true
  }

  /// Something was begun there.
  public mutating func began(_ index: Int) { endpoints[index].load += 1 }

  /// Something that was begun there has ended.
  public mutating func ended(_ index: Int) { endpoints[index].load = max(0, endpoints[index].load - 1) }

  /// A connection was opened: the endpoint is healthy.
  public mutating func succeeded(_ index: Int) {
    endpoints[index].failures = 0
    endpoints[index].unhealthyUntil = nil
  }

  /// A connection could not be opened, or broke.
  public mutating func failed(_ index: Int, now: UInt64) {
    endpoints[index].failures += 1
    guard health.maximumFailures > 0, endpoints[index].failures >= health.maximumFailures else { return }
    endpoints[index].unhealthyUntil = later(now, health.coolDownMilliseconds)
  }

  private func later(_ now: UInt64, _ milliseconds: UInt64) -> UInt64 {
    let (time, overflow) = now.addingReportingOverflow(milliseconds)
    return overflow ? .max : time
  }
}
