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
  /// When the connect command must have come.
  @Moment var connectBy: UInt64?
  /// When the next ping is due.
  @Moment var pingAt: UInt64?
  /// When the answer to the last ping must have come.
  @Moment var pongBy: UInt64?
}

extension CentrifugoSession {
  func setConnectDeadline() {
    heartbeat.connectBy = loop.nowMilliseconds + options.connectDeadlineMilliseconds
    setTimer()
  }

  /// The client has connected: pings begin.
  func startHeartbeat() {
    heartbeat.connectBy = nil
    if options.pingIntervalMilliseconds > 0 {
      heartbeat.pingAt = loop.nowMilliseconds + options.pingIntervalMilliseconds
    }
    setTimer()
  }

  /// An empty command came: the answer to a ping.
  func receivedPong() { heartbeat.pongBy = nil }

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
    var due = [heartbeat.connectBy, heartbeat.pingAt, heartbeat.pongBy].compactMap { $0 }.min()
    if let moment = nextExpiry { due = min(due ?? .max, now + milliseconds(until: moment)) }
    guard let due else { return }
    heartbeat.timer = loop.schedule(after: due > now ? due - now : 0, self, token: 0)
  }

  /// Something may be due.
  func tick() {
    heartbeat.timer = .none
    let now = loop.nowMilliseconds
    if let connectBy = heartbeat.connectBy, connectBy <= now {
      // One that was told to renew its token may be on its way back already: it must not be told to stay away.
      return close(wasRefused ? .normal : .stale)
    }
    if let pongBy = heartbeat.pongBy, pongBy <= now { return close(.noPong) }
    expire()
    guard !isClosed else { return }
    if let pingAt = heartbeat.pingAt, pingAt <= now {
      send(clientEncoding.ping)
      heartbeat.pingAt = now + options.pingIntervalMilliseconds
      heartbeat.pongBy = now + options.pongDeadlineMilliseconds
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
    for time in subscriptionTimes.values {
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
    for (channel, time) in subscriptionTimes where !isClosed {
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
    guard let client else { return }
    if subscriptionTimes[channel]?.isServerSide == true { return close(.subscriptionExpired) }
    hub.unsubscribe(client, from: channel)
    tellUnsubscribed(channel, 2501, "expired")
  }

  func tellUnsubscribed(_ channel: String, _ code: UInt32, _ reason: String) {
    subscriptionTimes[channel] = nil
    push(.unsubscribe(channel: channel, code: code, reason: reason))
  }
}
