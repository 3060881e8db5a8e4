/// What few subscriptions have: not every publication simply goes out to them.
final class Selection {
  let filter: TagsFilter?
  let usesDelta: Bool
  /// Which publication of the channel was sent last, where differences are used; 0 before the first.
  var lastSerial: UInt64 = 0
  var waiting: WaitingPublications?
  var consumption: Consumption?

  /// What a client that acknowledges has been sent.
  struct Consumption {
    let key: Consumers.Key
    let limit: Int
    /// Offsets that are not acknowledged yet, in order.
    var unacknowledged: [UInt64] = []
    /// The last offset that was sent or passed over.
    var last: UInt64 = 0
    /// As many are on their way as may be: the client gets no more before it has acknowledged them and comes again.
    var isBehind = false
  }

  /// Nil where nothing of it is asked for.
  init?(_ options: SubscribeOptions, _ rules: NamespaceOptions, user: String) {
    filter = options.filter
    // What is dropped could not be acknowledged.
    let waiting = options.consumerName == nil ? WaitingPublications(rules) : nil
    self.waiting = waiting
    // What waits may be sent without the one before it, so there are no differences.
    usesDelta = options.wantsDelta && !rules.allowedDeltas.isEmpty && waiting == nil
    if let name = options.consumerName {
      consumption = Consumption(
        key: Consumers.Key(user: user, name: name), limit: rules.maximumUnacknowledgedPublications)
    }
    if filter == nil, waiting == nil, !usesDelta, consumption == nil { return nil }
  }
}

extension NamespaceOptions {
  /// Whether a subscription ends when something was missed.
  func positions(_ options: SubscribeOptions) -> Bool {
    guard keepsHistory else { return false }
    let isForced = options.overrides.forcesPositioning ?? forcesPositioning
    if isForced || (options.wantsPosition && (allowsPositioning || options.mayReadHistory)) { return true }
    return recovers(options)
  }

  /// Whether a subscription gets joins and leaves.
  func sendsJoinLeave(_ options: SubscribeOptions) -> Bool {
    (emitsJoinLeave && options.wantsJoinLeave)
      || (options.overrides.forcesJoinLeave ?? (emitsJoinLeave && forcesJoinLeave))
  }

  /// Whether a subscription may be recovered later.
  func recovers(_ options: SubscribeOptions) -> Bool {
    forcesRecovery(options) ? keepsHistory : options.wantsRecovery && mayRecover(options)
  }

  /// Whether a client that asks for it is sent what it missed. For one that may read the history that is no secret.
  func mayRecover(_ options: SubscribeOptions) -> Bool {
    keepsHistory && (forcesRecovery(options) || allowsRecovery || options.mayReadHistory)
  }

  /// Whether a subscription is recoverable without having asked for it.
  func forcesRecovery(_ options: SubscribeOptions) -> Bool {
    options.overrides.forcesRecovery ?? forcesRecovery
  }
}
