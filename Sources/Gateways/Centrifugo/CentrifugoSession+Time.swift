import EventLoops
import Realtime

/// A moment that may not be set, in the memory of one number: few sessions wait for all that they could wait for.
@propertyWrapper
struct Moment {
  private var time = UInt64.max

  var wrappedValue: UInt64? {
    get { time == .max ? nil : time }
    set { time = newValue ?? .max }
  }
}

/// What a session waits for, in milliseconds of the loop's clock.
struct SessionHeartbeat {
  var timer = TimerID.none
  /// When the connect command must have come; once it has, when the next ping is due.
  @Moment var due: UInt64?
}

extension CentrifugoSession {
  func setConnectDeadline() {
    heartbeat.due = loop.nowMilliseconds + options.connectDeadlineMilliseconds
    setTimer()
  }

  /// The client has connected: pings begin.
  func startHeartbeat() {
    heartbeat.due = nil
    if options.pingIntervalMilliseconds > 0 {
      heartbeat.due = loop.nowMilliseconds + options.pingIntervalMilliseconds
    }
    setTimer()
  }

  /// An empty command came: the answer to a ping.
  func receivedPong() { isAwaitingPong = false }

  /// When the answer to the last ping must have come: so long after it as the next ping is.
  private var pongBy: UInt64? {
    guard isAwaitingPong, let next = heartbeat.due else { return nil }
    return next - options.pingIntervalMilliseconds + options.pongDeadlineMilliseconds
  }

  /// The connection may last until then, in seconds since 1970.
  func extend(until time: UInt64?) {
    expiresAt = time
    setTimer()
  }

  /// The server has moved the end of the connection.
  func tellRefreshed(until time: UInt64?) {
    extend(until: time)
    push(.refresh(secondsLeft: secondsLeft(until: time)))
  }

  func cancelTimer() {
    loop.cancel(heartbeat.timer)
    heartbeat.timer = .none
  }

  /// One timer a session: for whatever is due first.
  func setTimer() {
    guard !isClosed else { return }
    cancelTimer()
    let now = loop.nowMilliseconds
    var due = heartbeat.due
    if let pongBy { due = min(due ?? .max, pongBy) }
    if let moment = nextExpiry { due = min(due ?? .max, now + milliseconds(until: moment)) }
    guard let due else { return }
    heartbeat.timer = loop.schedule(after: due > now ? due - now : 0, self, token: 0)
  }

  /// Something may be due.
  func tick() {
    heartbeat.timer = .none
    let now = loop.nowMilliseconds
    let isDue = heartbeat.due.map { $0 <= now } ?? false
    if isConnecting, isDue {
      // One that was told to renew its token may be on its way back already: it must not be told to stay away.
      return close(wasRefused ? .normal : .stale)
    }
    if let pongBy, pongBy <= now { return close(.noPong) }
    expire()
    guard !isClosed else { return }
    if isDue {
      send(clientEncoding.ping)
      heartbeat.due = now + options.pingIntervalMilliseconds
      isAwaitingPong = true
    }
    setTimer()
  }

  private func milliseconds(until second: UInt64) -> UInt64 {
    let now = options.now()
    return second > now ? min(second - now, 1 << 40) * 1_000 : 0
  }

  /// The second since 1970 in which something ends, or the backend is to be asked for more time.
  private var nextExpiry: UInt64? {
    var next = expiresAt.map { moment(of: $0, isRefreshedByBackend && !isAskingForRefresh) }
    for time in extras?.subscriptionTimes.values ?? [:].values {
      guard let end = time.end else { continue }
      next = min(next ?? .max, moment(of: end, time.isRefreshedByBackend && !time.isAsking))
    }
    return next
  }

  private func expire() {
    if let expiresAt {
      if isOver(expiresAt) { return close(.expired) }
      if isRefreshedByBackend, !isAskingForRefresh, isPast(expiresAt) { askForRefresh() }
    }
    for (channel, time) in extras?.subscriptionTimes ?? [:] where !isClosed {
      guard let end = time.end else { continue }
      if isOver(end) {
        endSubscription(channel)
      } else if time.isRefreshedByBackend, !time.isAsking, isPast(end) {
        askForRefresh(ofSubscriptionTo: channel)
      }
    }
  }

  /// When a thing that ends at `second` is looked at: at once where the backend is to be asked, else after its grace.
  private func moment(of second: UInt64, _ asksBackend: Bool) -> UInt64 {
    asksBackend ? second : lastMoment(of: second)
  }

  /// Whether a time is not to come any more.
  func isPast(_ second: UInt64?) -> Bool { second.map { $0 <= options.now() } ?? false }

  private func isOver(_ second: UInt64) -> Bool { isPast(lastMoment(of: second)) }

  /// When a client that has not refreshed by `second` is given up. The end may come from a token, so it may be any number.
  private func lastMoment(of second: UInt64) -> UInt64 {
    let (sum, overflow) = second.addingReportingOverflow(options.expiryGraceMilliseconds / 1_000)
    return overflow ? .max : sum
  }

  /// The seconds that a token which ends then is still good for; nil for one without end.
  func secondsLeft(until end: UInt64?) -> UInt64? {
    end.map { $0 > options.now() ? $0 - options.now() : 0 }
  }

  /// 2501: the client comes back with a fresh token. What the server has begun ends with the connection.
  func endSubscription(_ channel: String) {
    guard isConnected else { return }
    if extras?.subscriptionTimes[channel]?.isServerSide == true { return close(.subscriptionExpired) }
    hub.unsubscribe(self, from: channel)
    tellUnsubscribed(channel, 2501, "expired")
  }

  /// A subscription lasts so long; nil for as long as the connection.
  func setTime(of channel: String, _ time: SubscriptionTime?) {
    let extras = time == nil ? extras : makeExtras()
    extras?.subscriptionTimes[channel] = time
  }

  func tellUnsubscribed(_ channel: String, _ code: UInt32, _ reason: String) {
    extras?.subscriptionTimes[channel] = nil
    push(.unsubscribe(channel: channel, code: code, reason: reason))
  }
}
